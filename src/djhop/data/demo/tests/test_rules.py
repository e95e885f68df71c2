from trails.forms import WalkForm
from trails.models import Trail
from trails.rules import keeps_the_rules


def test_a_walk_ends_within_a_day(trail):
    form = WalkForm({"trail": trail.pk, "walker": "Ida", "minutes": 1441})
    assert form.errors["minutes"] == ["A walk ends within a day."]


def test_nobody_walks_a_closed_trail(trail):
    trail.open = False
    trail.save()
    form = WalkForm({"trail": trail.pk, "walker": "Ida", "minutes": 60})
    assert form.non_field_errors() == ["This trail is closed."]


def test_a_trail_has_a_length(db):
    assert keeps_the_rules(Trail(name="Fell", slug="fell", kilometres=5))


def test_a_trail_without_length_breaks_the_rules(db):
    assert not keeps_the_rules(Trail(name="Dot", slug="dot", kilometres=0))
