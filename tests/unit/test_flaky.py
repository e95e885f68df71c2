"""What newly fails, run again: the decision table, verdicts, and the list of known ones."""

from __future__ import annotations

import datetime
import itertools
from pathlib import Path

import msgspec
import pytest

from djhop.compare import flaky
from djhop.compare.compare import Comparison, exit_code, judge
from djhop.compare.flaky import Evidence, Runs, Way, answer
from djhop.errors import ExitCode, UsageError
from djhop.matrix.flaky import KnownFlaky, read
from djhop.matrix.plan import Cell, Hop
from djhop.reports import hops
from djhop.results.deprecations import Deprecation
from djhop.results.outcomes import Outcome
from djhop.results.reruns import Again, Reruns
from djhop.results.results import CellResult, Failure, Owner
from djhop.results.results import Test as Case

OLD, NEW = Cell(django="4.2", python="3.12"), Cell(django="5.2", python="3.12")
HOP = Hop(before=OLD, after=NEW, axis="django")
DAY = datetime.date(2026, 11, 21)

#: How a few runs may end.
SOME: tuple[tuple[Way, ...], ...] = (
    (),
    ("fine",),
    ("fine", "fine"),
    ("red",),
    ("red", "red"),
    ("old", "old"),
    ("fine", "red"),
)


def expected(before: Runs, after: Runs) -> str:
    """The rules as sentences, over how often each end was seen after the hop."""
    seen_after = [*after.alone, *after.module]
    if not seen_after:
        return "unknown"
    if {"fine", "red"} <= set(after.alone) or {"fine", "red"} <= set(after.module):
        return "flaky"
    reds = [one for one in (*after.suite, *seen_after) if one == "red"]
    others = [one for one in seen_after if one != "red"]
    closest = after.alone if after.alone else after.module
    if closest[0] != "red":
        return "order-dependent" if len(reds) > 1 and len(others) > 1 else "flaky"
    usual = before.suite[0]
    match len(before.alone), len(set(before.alone)):
        case 0, _:
            return "broke"
        case _, 2:
            return "broke" if after.module else "flaky"
    if before.alone[0] == usual:
        return "broke"
    in_module = usual in before.module and "red" in after.module
    return "broke" if in_module else "order-dependent"


def test_every_way_in_which_reruns_can_end() -> None:
    reached = set()
    suites = itertools.product(("fine", "old"), (1, 2))
    for (was, reds), alone, module, alone_after, module_after in itertools.product(
        suites, SOME, SOME, SOME, SOME
    ):
        before = Runs(suite=(was,), alone=alone, module=module)  # type: ignore[arg-type]
        after = Runs(suite=("red",) * reds, alone=alone_after, module=module_after)  # type: ignore[arg-type]
        found = answer(before, after)
        assert found == expected(before, after), (before, after)
        reached.add(found)
    assert reached == {"broke", "flaky", "order-dependent", "unknown"}


def test_flaky_before_is_no_excuse_for_what_fails_every_time_after() -> None:
    before = Runs(suite=("fine",), alone=("fine", "red"), module=("fine", "red"))
    after = Runs(suite=("red", "red"), alone=("red", "red"), module=("red", "red"))
    assert answer(before, after) == "broke"
    # As long as only few runs say so, it may be chance.
    assert answer(before, Runs(suite=("red",), alone=("red", "red"))) == "flaky"


# A hop.


def good(name: str) -> Case:
    return Case(id=name, strict="passed", plain="passed")


def bad(name: str, message: str = "boom") -> Case:
    why = Failure(exception="ValueError", message=message, owner=Owner("project"))
    return Case(id=name, strict="failed", plain="failed", failure=why)


def cell(of: Cell, *tests: Case, **more: object) -> CellResult:
    red = any(test.plain == "failed" for test in tests)
    status = "failed" if red else "passed"
    return CellResult(
        id=of.id, django=of.django, python=of.python, status=status, tests=tests, **more
    )


def again(test: str, before: str, after: str) -> list[Again]:
    """Runs of a test alone, each letter one: p(assed) or f(ailed)."""
    ends: dict[str, Outcome] = {"p": "passed", "f": "failed"}
    return [
        Again(test=test, side=side, how="alone", outcome=ends[one])  # type: ignore[arg-type]
        for side, letters in (("before", before), ("after", after))
        for one in letters
    ]


#: What reruns show → (before, after).
SHOWN = {
    "broke": ("pp", "ff"),
    "flaky": ("pp", "pf"),
    "order-dependent": ("pp", "pp"),
    "unknown": ("", ""),
}


def known(test: str = "a", **more: object) -> KnownFlaky:
    return KnownFlaky(id=test, reason="slow", expires=DAY, **more)


def expected_verdict(shown: tuple[str, str], listed: tuple[bool, bool]) -> str:
    """Each test of the hop by itself, then the worst of them."""
    said = []
    for what, is_known in zip(shown, listed, strict=True):
        if what == "broke" or (what == "unknown" and not is_known):
            said.append("breaks")
        else:
            said.append("clean" if is_known else "unknown")
    return min(said, key=("breaks", "unknown", "clean").index)


def test_every_verdict_of_a_hop_whose_news_were_run_again() -> None:
    reached = set()
    before, after = cell(OLD, good("a"), good("b")), cell(NEW, bad("a"), bad("b"))
    for shown in itertools.product(SHOWN, SHOWN):
        runs = [run for t, what in zip("ab", shown, strict=True) for run in again(t, *SHOWN[what])]
        done = Reruns(before=OLD.id, after=NEW.id, asked=2, runs=tuple(runs))
        for listed in itertools.product((False, True), (False, True)):
            entries = tuple(known(t) for t, one in zip("ab", listed, strict=True) if one)
            result = judge(before, after, HOP, evidence=Evidence(reruns=done, known=entries))
            assert result.verdict == expected_verdict(shown, listed), (shown, listed)
            listings = (result.broke, result.flaky, result.order_dependent, result.known_flaky)
            assert sorted(t for names in listings for t in names) == ["a", "b"]
            assert result.flaky_red == result.flaky
            reached.add(result.verdict)
    assert reached == {"breaks", "unknown", "clean"}


def test_a_hop_says_what_is_flaky_and_what_depends_on_the_order() -> None:
    before, after = cell(OLD, good("a"), good("b")), cell(NEW, bad("a"), bad("b"))
    runs = (*again("a", "pp", "pf"), *again("b", "pp", "pp"))
    done = Reruns(before=OLD.id, after=NEW.id, asked=2, tests=2, runs=runs)
    result = judge(before, after, HOP, evidence=Evidence(reruns=done))
    assert (result.flaky, result.order_dependent) == (("a",), ("b",))
    assert result.causes == ()
    assert result.reason == (
        "no test breaks for certain, but 1 test passed and failed: flaky; "
        "1 test depends on the order"
    )
    assert result.reruns is not None
    assert (result.reruns.tests, result.reruns.runs) == (2, ())
    listed = judge(before, after, HOP, evidence=Evidence(reruns=done, known=(known("*"),)))
    assert (listed.verdict, listed.known_flaky, listed.flaky) == ("clean", ("a", "b"), ())
    assert "2 tests fail, known as flaky" in listed.reason


def test_reports_say_what_was_run_again_and_what_does_not_count() -> None:
    names = ("a", "b", "c", "d")
    before, after = cell(OLD, *map(good, names)), cell(NEW, *map(bad, names))
    runs = (*again("a", "pp", "pf"), *again("b", "pp", "pp"), *again("d", "pp", "pf"))
    done = Reruns(
        before=OLD.id, after=NEW.id, asked=4, foretold=1, tests=3, runs=runs, reason="too long"
    )
    evidence = Evidence(reruns=done, known=(known("d"),))
    shown = hops.view(judge(before, after, HOP, evidence=evidence), HOP, {}, 8, {})
    assert [(one.total, one.label, one.items) for one in shown.lists] == [
        (1, "flaky, not counted", ("a",)),
        (1, "order-dependent, not counted", ("b",)),
        (1, "known as flaky, not counted", ("d",)),
        (3, "of 4 tests that newly fail were run again in both cells; "
         "a deprecation foretold 1: too long", ()),
    ]  # fmt: skip
    one = msgspec.structs.replace(done, runs=runs[:4], asked=1, tests=1, foretold=0, reason="")
    single = hops.view(judge(before, after, HOP, evidence=Evidence(reruns=one)), HOP, {}, 8, {})
    label = "of 1 test that newly fails was run again in both cells"
    assert [shown.label for shown in single.lists if "run again" in shown.label] == [label]
    none = msgspec.structs.replace(done, runs=(), tests=0, foretold=4, reason="")
    quiet = judge(before, after, HOP, evidence=Evidence(reruns=none))
    assert hops.view(quiet, HOP, {}, 8, {}).lists == ()


def test_a_test_that_fails_for_changing_reasons_is_flaky() -> None:
    """It failed before as well: only failing as it did there speaks against a break."""
    before, after = cell(OLD, bad("a", "old")), cell(NEW, bad("a", "new"))
    assert judge(before, after, HOP).broke_differently == ("a",)
    one = Again(test="a", side="after", how="alone", outcome="failed")
    old = Again(test="a", side="after", how="alone", outcome="failed", as_before=True)
    shaky = Reruns(before=OLD.id, after=NEW.id, runs=(one, old))
    assert judge(before, after, HOP, evidence=Evidence(reruns=shaky)).verdict == "unknown"
    sure = Reruns(before=OLD.id, after=NEW.id, runs=(one, one))
    assert judge(before, after, HOP, evidence=Evidence(reruns=sure)).verdict == "breaks"


def test_a_strict_failure_that_a_warning_explains_does_not_count() -> None:
    """One failure in the suite that is sure, and passes alone: chance, as far as one can see."""
    warns = Deprecation(category="W", message="", place="", owner=Owner("project"), tests=("a",))
    runs = Reruns(before=OLD.id, after=NEW.id, runs=tuple(again("a", "pp", "pp")))
    for seen, found in (((), "order_dependent"), ((warns,), "flaky")):
        after = cell(NEW, bad("a"), deprecations=seen)
        result = judge(cell(OLD, good("a")), after, HOP, evidence=Evidence(reruns=runs))
        assert getattr(result, found) == ("a",)


def test_a_renamed_test_is_looked_for_under_both_its_ids() -> None:
    was, now = "t.py::a[<X at 0x7f01>]", "t.py::a[<X at 0x7f02>]"
    runs = Reruns(before=OLD.id, after=NEW.id, runs=tuple(again(was, "pp", "pf")))
    before, after = cell(OLD, good(was)), cell(NEW, bad(now))
    assert judge(before, after, HOP, evidence=Evidence(reruns=runs)).flaky == (was,)
    assert judge(before, after, HOP, evidence=Evidence(known=(known(now),))).known_flaky == (was,)


def test_what_vanishes_or_is_skipped_is_not_excused() -> None:
    skipped = Case(id="b", strict="skipped", plain="skipped")
    before, after = cell(OLD, good("a"), good("b"), good("c")), cell(NEW, skipped, good("c"))
    result = judge(before, after, HOP, evidence=Evidence(known=(known("*"),)))
    assert (result.verdict, result.vanished, result.newly_skipped) == ("breaks", ("a",), ("b",))


# The list of known flaky tests.


def test_a_list_is_read(tmp_path: Path) -> None:
    (tmp_path / "flaky.toml").write_text(
        '[[test]]\nid = "t.py::a[1]"\nreason = "clock"\nexpires = 2026-12-31\n'
        '[[test]]\nid = "t.py::K::*"\nreason = "net"\nexpires = 2026-12-31\ncells = "django5.2"\n'
    )
    one, other = read(tmp_path, "flaky.toml")
    assert (one.covers("t.py::a[1]", OLD.id), one.covers("t.py::a1", OLD.id)) == (True, False)
    assert (other.covers("t.py::K::x", NEW.id), other.covers("t.py::K::x", OLD.id)) == (True, False)
    assert not other.covers("t.py::a[1]", NEW.id)
    assert read(tmp_path, "") == ()


def test_an_entry_holds_to_the_end_of_its_last_day() -> None:
    assert not known().expired(DAY)
    assert known().expired(DAY + datetime.timedelta(days=1))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[test]\n", "flaky.toml:1: not TOML"),
        ('[[test]]\nid = "a"\nreason = "r"\n', "flaky.toml:1: test[0]: lacks the key `expires`"),
        (
            '\n[[test]]\nid = "a"\nreason = "r"\nexpires = 2026-01-01\n\n'
            '[[test]]\nid = "a"\nreson = "r"\n',
            "flaky.toml:7: test[1].reson: unknown key",
        ),
        (
            '[[test]]\nid = "a"\nreason = "r"\nexpires = "soon"\n',
            "flaky.toml:1: test[0].expires: ",
        ),
        (
            '[[test]]\nid = "a"\nreason = " "\nexpires = 2026-01-01\n',
            "flaky.toml:1: test[0].reason: is empty",
        ),
        ("test = [1]\n", "flaky.toml:1: test[0]: is no table"),
        ("tests = []\n", "flaky.toml: tests: unknown key"),
        ('test = "a"\n', "flaky.toml: test: expected a list"),
    ],
)
def test_a_wrong_list_is_an_error_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "flaky.toml").write_text(text)
    with pytest.raises(UsageError) as raised:
        read(tmp_path, "flaky.toml")
    assert words in str(raised.value)


def test_a_list_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"flaky\.toml: cannot be read"):
        read(tmp_path, "flaky.toml")


def test_an_expired_entry_fails_the_gate() -> None:
    assert exit_code(Comparison(expired=("a",))) is ExitCode.BREAKS


def test_entries_about_no_test_are_named() -> None:
    results = {
        OLD.id: cell(OLD, good("a")),
        NEW.id: CellResult(id=NEW.id, django="5.2", python="3.12", status="infra"),
    }
    entries = [
        known("a"),
        known("b"),
        known("a", cells="django5.2"),
        known("b", cells="django4.2"),
    ]
    # Of the cell that did not run nothing is known.
    assert flaky.unmatched(entries, results) == ("b", "b")
