"""A whole bisect, in worlds of a few releases, against a search of every point there is."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection

import pytest
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from djhop import releases
from djhop.bisect.points import Ends, Point, link
from djhop.bisect.question import Said
from djhop.bisect.tracing import Traced, Tracer
from djhop.bisect.trials import OutOfTime, Ran, Trials
from djhop.resolve.locks import Lock, pins_key
from djhop.store.blame import Answer, Tried

INDEX = {
    "django": ("4.2", "4.2.1", "4.2.2", "5.0", "5.0.1", "5.0.2", "5.1", "5.2", "5.2.1"),
    "alpha": ("1.0", "1.1", "1.2", "2.0"),
    "beta": ("1.0", "2.0"),
}
PYTHONS = ("3.10", "3.11", "3.12")
GOOD = Point(python="3.10", packages={"django": "4.2.1", "alpha": "1.0", "beta": "1.0"})
BAD = Point(python="3.12", packages={"django": "5.2.1", "alpha": "2.0", "beta": "2.0"})

Says = Callable[[Point], Answer]


class Small:
    """An index of a dozen releases, and what a run of each set of them says."""

    def __init__(self, says: Says, missing: Collection[Point] = ()) -> None:
        self.says, self.missing = says, missing
        self.runs = 0

    def lock(self, point: Point) -> Lock | str:
        if point in self.missing:
            return "it cannot be installed"
        pins = [f"{name}=={version}" for name, version in point.packages.items()]
        return Lock(pins=tuple(pins), django_release=point.django, key=pins_key(pins))

    def run(self, point: Point, lock: Lock) -> Ran:
        self.runs += 1
        assert lock.packages == point.packages
        return Ran(said=Said(answer=self.says(point), said="as it is"))

    def pythons(self, low: str, high: str) -> tuple[str, ...]:
        return PYTHONS[PYTHONS.index(low) + 1 : PYTHONS.index(high)]

    def release(self, name: str, specifier: str, point: Point, *, lowest: bool = False) -> str:
        fits = [v for v in INDEX[name] if SpecifierSet(specifier).contains(v)]
        return fits[0 if lowest else -1] if fits else ""

    def releases(self, name: str, low: str, high: str, point: Point) -> tuple[str, ...]:
        return tuple(v for v in INDEX[name] if Version(low) < Version(v) < Version(high))


def trace(world: Small, good: Point = GOOD, bad: Point = BAD, **more: object) -> Traced:
    ends = Ends(good=good, bad=bad)
    trials = Trials(world, label=ends.label, **more)  # type: ignore[arg-type]
    tracer = Tracer(ends, world=world, trials=trials, releases=releases.load(), times=3)
    return tracer.trace()


def told(traced: Traced) -> set[frozenset[tuple[str, str, str]]]:
    assert traced.outcome == "found", traced
    return {frozenset((c.name, c.good, c.bad) for c in way.culprits) for way in traced.ways}


def above(name: str, first: str) -> Callable[[Point], bool]:
    """Whether a point has `first` or later of a package, or of Python."""

    def holds(point: Point) -> bool:
        has = point.python if name == "Python" else point.packages[name.lower()]
        return Version(has) >= Version(first)

    return holds


#: Name → every release that may be the first bad one, and the one before it.
FIRST = {
    "Django": tuple(itertools.pairwise(INDEX["django"][1:])),
    "alpha": tuple(itertools.pairwise(INDEX["alpha"])),
    "beta": tuple(itertools.pairwise(INDEX["beta"])),
    "Python": tuple(itertools.pairwise(PYTHONS)),
}


@pytest.mark.parametrize(
    "names", [c for size in (1, 2, 3) for c in itertools.combinations(FIRST, size)], ids="+".join
)
def test_what_is_needed_together_is_found_each_down_to_its_release(
    names: tuple[str, ...],
) -> None:
    for bounds in itertools.product(*(FIRST[name] for name in names)):
        tests = [above(name, bad) for name, (_, bad) in zip(names, bounds, strict=True)]
        world = Small(lambda point, t=tests: "bad" if all(one(point) for one in t) else "good")
        wanted = {(name, *pair) for name, pair in zip(names, bounds, strict=True)}
        found = trace(world)
        assert told(found) == {frozenset(wanted)}
        assert {c.times for way in found.ways for c in way.culprits} == {3}


def test_what_is_enough_alone_is_found_each_by_itself() -> None:
    either = (above("Django", "5.0.1"), above("alpha", "1.2"))
    found = trace(Small(lambda point: "bad" if any(one(point) for one in either) else "good"))
    assert told(found) == {
        frozenset({("Django", "5.0", "5.0.1")}),
        frozenset({("alpha", "1.1", "1.2")}),
    }


@pytest.mark.parametrize("skipped", [{"5.0"}, {"5.0.1"}, {"5.0", "5.0.1"}, {"5.0.2"}, {"5.1"}])
def test_releases_that_cannot_be_judged_make_the_answer_a_range(skipped: set[str]) -> None:
    def says(point: Point) -> Answer:
        if point.django in skipped:
            return "skip"
        return "bad" if above("Django", "5.0.1")(point) else "good"

    (way,) = trace(Small(says)).ways
    (culprit,) = way.culprits
    names = INDEX["django"]
    between = names[names.index(culprit.good) + 1 : names.index(culprit.bad)]
    assert Version(culprit.good) < Version("5.0.1") <= Version(culprit.bad)
    # Nothing is called good or bad that was not seen to be, and what was passed over is said.
    assert {culprit.good, culprit.bad}.isdisjoint(skipped)
    assert {text.partition(":")[0] for text in culprit.skipped} <= skipped
    assert culprit.skipped or not set(between) & skipped


def test_points_that_cannot_be_installed_are_skips_with_their_reason() -> None:
    missing = [Point(python="3.10", packages={**GOOD.packages, "django": v})
               for v in ("5.0", "5.0.1", "5.0.2")]  # fmt: skip
    world = Small(lambda p: "bad" if above("Django", "5.0.1")(p) else "good", missing)
    (way,) = trace(world).ways
    (culprit,) = way.culprits
    assert (culprit.good, culprit.bad) == ("4.2.2", "5.1")
    assert culprit.skipped == ("5.0.2: it cannot be installed",)


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ("bad", "bad", "before the hop"),
        ("good", "good", "repaired"),
        ("skip", "bad", "as it is"),
        ("good", "skip", "as it is"),
    ],
)
def test_ends_that_do_not_differ_are_not_searched(good: Answer, bad: Answer, said: str) -> None:
    world = Small(lambda point: good if point == GOOD else bad)
    found = trace(world)
    assert (found.outcome, found.ways) == ("same", ())
    assert said in found.reason
    assert world.runs == (3 if good != "good" else 4)


@pytest.mark.parametrize("at", ["4.2.2", "5.0"])
def test_a_boundary_that_gives_two_answers_is_flaky(at: str) -> None:
    seen = 0

    def says(point: Point) -> Answer:
        nonlocal seen
        is_bad = above("Django", "5.0")(point)
        if point.django == at:
            seen += 1
            is_bad ^= seen == 3
        return "bad" if is_bad else "good"

    found = trace(Small(says))
    assert found.outcome == "flaky"
    assert f"Django {at}" in found.reason
    assert "2 good, 1 bad" in found.reason or "2 bad, 1 good" in found.reason


def test_a_flaky_end_is_flaky_and_no_difference() -> None:
    answers = iter(["good", "bad", "good"])
    found = trace(Small(lambda point: "good" if point == GOOD else next(answers)))
    assert found.outcome == "flaky"


def test_equal_packages_with_two_answers_are_flaky() -> None:
    answers = iter(["good", "bad"])
    found = trace(Small(lambda _: next(answers)), GOOD, GOOD)
    assert found.outcome == "flaky"


def test_what_was_run_before_is_not_run_again() -> None:
    kept: list[tuple[Tried, ...]] = []
    first = Small(lambda point: "bad" if above("Django", "5.0.1")(point) else "good")
    whole = trace(first, keep=kept.append)
    assert len(kept) == first.runs
    for number in range(first.runs):
        again = Small(first.says)
        assert trace(again, known=kept[number]) == whole
        assert again.runs == first.runs - number - 1


def test_no_run_is_begun_when_the_time_is_up() -> None:
    left = iter([True, True, False])
    world = Small(lambda point: "bad" if point == BAD else "good")
    with pytest.raises(OutOfTime):
        trace(world, go_on=lambda: next(left))
    assert world.runs == 2


def test_packages_that_come_and_go_are_to_blame_as_such() -> None:
    bad = Point(python="3.10", packages={"django": "4.2.1", "beta": "1.0", "gamma": "3"})
    came = trace(Small(lambda p: "bad" if "gamma" in p.packages else "good"), GOOD, bad)
    assert told(came) == {frozenset({("gamma", "", "3")})}
    went = trace(Small(lambda p: "good" if "alpha" in p.packages else "bad"), GOOD, bad)
    assert told(went) == {frozenset({("alpha", "1.0", "")})}


def test_a_downgrade_is_searched_downwards() -> None:
    low = Point(python="3.10", packages={**GOOD.packages, "alpha": "1.0"})
    high = Point(python="3.10", packages={**GOOD.packages, "alpha": "2.0"})
    world = Small(lambda p: "bad" if Version(p.packages["alpha"]) < Version("1.2") else "good")
    assert told(trace(world, high, low)) == {frozenset({("alpha", "1.2", "1.1")})}


@pytest.mark.parametrize(
    ("kind", "name", "version", "page"),
    [
        ("django", "Django", "5.0", "docs.djangoproject.com/en/stable/releases/5.0/"),
        ("django", "Django", "5.0.0", "docs.djangoproject.com/en/stable/releases/5.0/"),
        ("django", "Django", "5.0.3", "docs.djangoproject.com/en/stable/releases/5.0.3/"),
        ("django", "Django", "2028.1", "docs.djangoproject.com/en/stable/releases/2028.1/"),
        ("python", "Python", "3.12", "docs.python.org/3/whatsnew/3.12.html"),
        ("package", "markdown", "3.7", "pypi.org/project/markdown/3.7/"),
    ],
)
def test_every_culprit_has_a_page(kind: str, name: str, version: str, page: str) -> None:
    assert link(kind, name, version) == f"https://{page}"


def test_what_has_no_release_has_no_page() -> None:
    assert link("package", "shop", "git+https://host/shop") == ""
