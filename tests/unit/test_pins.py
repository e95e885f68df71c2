"""What a target says twice, and which of it is used."""

from __future__ import annotations

import pytest

from djhop.target import pins
from djhop.target.stated import Stated


def at(place: str, *texts: str) -> tuple[Stated, ...]:
    return tuple(Stated(text=text, place=place) for text in texts)


def test_one_version_applies_everywhere() -> None:
    found = pins.settle((), [at("uv.lock", "a==1; python_version < '3.9'")])
    assert [*found.pins.values()] == ["a==1"]


def test_several_versions_keep_their_markers() -> None:
    source = at("uv.lock", "a==1; python_version < '3.9'", "a==2; python_version >= '3.9'")
    found = pins.settle((), [source])
    assert [*found.pins.values()] == [item.text for item in source]


def test_the_first_lock_wins() -> None:
    found = pins.settle((), [at("uv.lock", "a==1", "b==1"), at("r.txt:1", "A==2", "b==1")])
    assert [*found.pins.values()] == ["a==1", "b==1"]
    assert found.notes == ("uv.lock has a==1, r.txt:1 has A==2: the first is used.",)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("foo==1.*", "foo==1.5"),
        ("bar==1.0", "bar==1.0.0"),
        ("celery==5.2", "celery[redis]==5.2.0"),
        ("old===abc", "old===abc"),
    ],
)
def test_pins_that_agree_are_all_used(first: str, second: str) -> None:
    stated = (*at("a.txt:1", first), *at("b.txt:1", second))
    found = pins.settle(stated, ())
    assert ([*found.kept.values()], found.notes) == ([first, second], ())


def test_a_pin_that_gives_way_keeps_its_extras() -> None:
    found = pins.settle((*at("a:1", "celery==5.2"), *at("b:1", "celery[redis]==5.3")), ())
    assert [*found.kept.values()] == ["celery==5.2", "celery[redis]"]
    assert found.notes == ("a:1 has celery==5.2, b:1 has celery[redis]==5.3: the first is used.",)


def test_one_version_written_in_two_ways_is_one() -> None:
    assert pins.settle((), [at("uv.lock", "a==1.0"), at("r.txt:1", "a==1")]).notes == ()


@pytest.mark.parametrize(
    ("requirement", "kept"),
    [
        ("Django>=4.2,<5", False),
        ("django==3.2.1", True),
        ("django>=3", True),
        # Whether it applies depends on the cell.
        ("django>=4; python_version > '3.9'", True),
        ("django @ https://e.org/django-5.zip", True),
    ],
)
def test_a_requirement_wins_against_a_lock(requirement: str, kept: bool) -> None:
    found = pins.settle(at("pyproject.toml", requirement), [at("poetry.lock", "django==3.2.1")])
    assert bool(found.pins) is kept
    if not kept:
        assert found.notes == (
            "poetry.lock has django==3.2.1, pyproject.toml has Django>=4.2,<5: "
            "the requirement is used; lock again.",
        )


def test_many_that_disagree_are_counted() -> None:
    names = [f"p{number}" for number in range(9)]
    stated = at("a.in", *(f"{name}>=2" for name in names))
    found = pins.settle(stated, [at("a.txt", *(f"{name}==1" for name in names))])
    assert found.pins == {}
    assert len(found.notes) == 4
    assert found.notes[-1] == "6 more versions disagree likewise."


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lib @ git+https://e.org/o/lib.git", "lib @ git+https://e.org/o/lib.git@abc"),
        (
            "lib[x] @ git+ssh://git@e.org/o/lib@main#subdirectory=s ; os_name == 'nt'",
            'lib[x] @ git+ssh://git@e.org/o/lib@abc#subdirectory=s ; os_name == "nt"',
        ),
        ("lib @ https://e.org/lib-1.zip", "lib @ https://e.org/lib-1.zip"),
        ("lib>=1", "lib>=1"),
        ("other @ git+https://e.org/other", "other @ git+https://e.org/other"),
    ],
)
def test_a_repository_stays_at_its_commit(text: str, expected: str) -> None:
    assert pins.at_commit(text, {"lib": "abc"}) == expected
