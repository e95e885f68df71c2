from trails import labels


def test_one_walk():
    assert labels.count(1, "walk") == "1 walk"


def test_many_walks():
    assert labels.count(3, "walk") == "3 walks"


def test_a_slug_is_made_of_the_name():
    assert labels.slug("Ridge Path, north") == "ridge-path-north"


def test_a_link_escapes_the_name(trail):
    trail.name = "Fell & Moor"
    assert labels.link(trail) == '<a href="/trails/ridge-path/">Fell &amp; Moor</a>'


def test_the_badge_is_html():
    assert labels.closed_badge() == '<span class="badge">closed</span>'
