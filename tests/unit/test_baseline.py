"""The list of known breaks: what a run shows to be new, to be fixed, and what it does not tell."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterable
from pathlib import Path

import many
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from djhop import cli
from djhop.baseline import lines, ratchet
from djhop.baseline.lines import Line, Listed
from djhop.baseline.ratchet import Checked
from djhop.baseline.suites import REST, SUITE
from djhop.commands import ratcheting
from djhop.errors import ExitCode, UsageError
from djhop.matrix.flaky import KnownFlaky
from djhop.matrix.plan import Cell
from djhop.results.results import CellResult, Deprecation, Owner, Pass
from djhop.results.results import Test as Case
from djhop.results.steps import Finding, Step
from djhop.store.record import Run

PATH = Cell(django="4.2", python="3.12"), Cell(django="5.0", python="3.12")
HOP = "py3.12-django4.2..py3.12-django5.0"
NAMES = tuple(f"tests/test_{part}.py::test_{part}" for part in "abcd")
A, B, C, D = NAMES
X, Y = many.failure(1), many.failure(2, "a different thing", exception="KeyError")
GONE = many.failure(9, "cannot import name 'url'", exception="ImportError", place="tests/urls.py:3")
Ran = tuple[Run, dict[str, CellResult]]


def case(name: str, outcome: str) -> Case:
    """A test that ends so with the filter and without; "x" and "y" are failures of two causes."""
    why = {"x": X, "y": Y}.get(outcome)
    said = "failed" if why else outcome
    return msgspec.convert({"id": name, "strict": said, "plain": said, "failure": why}, Case)


def cell(at: int, outcomes: dict[str, str], **more: object) -> CellResult:
    """One of the two cells; an outcome "" is of a test that is not there."""
    found = tuple(case(name, outcome) for name, outcome in outcomes.items() if outcome)
    red = any(test.plain == "failed" for test in found)
    given = {"status": "failed" if red else "passed"} | more
    status = str(given.pop("status"))
    return many.result(PATH[at], status, found, **given)


def run(before: CellResult, after: CellResult, **changes: object) -> Ran:
    """The run of the hop between the two."""
    results = {before.id: before, after.id: after}
    made = many.finished(many.plan_of(PATH), results)
    return msgspec.structs.replace(made, **changes), results


def seen(before: dict[str, str], after: dict[str, str], **changes: object) -> Ran:
    """The run of a hop whose tests end so on both sides."""
    return run(cell(0, before), cell(1, after), **changes)


GREEN = dict.fromkeys(NAMES, "passed")
RED = seen(GREEN, {A: "x", B: "x", C: "passed", D: "passed"})


def check(listed: Listed, ran: Ran) -> Checked:
    return ratchet.check(listed.lines, *ran)


def recorded(ran: Ran, listed: Listed | None = None) -> Listed:
    """What is recorded, read back from its text."""
    before = listed or Listed()
    return lines.read(ratchet.record(before, check(before, ran)).text, "file")


def about(found: Iterable[Line]) -> list[str]:
    return [line.about for line in found]


def test_what_is_recorded_is_clean() -> None:
    found = check(recorded(RED), RED)
    assert (found.new, found.fixed, found.unchecked, found.complete) == ((), (), {}, True)
    assert about(found.known) == [A, B]


def test_a_new_break_a_fixed_one_and_one_of_another_cause_are_seen() -> None:
    now = seen(GREEN, {A: "y", B: "passed", C: "x", D: "passed"})
    listed = recorded(RED)
    found = check(listed, now)
    assert about(found.new) == [A, C]
    assert about(found.fixed) == [A, B]
    assert recorded(now, listed).lines == recorded(now).lines


def test_a_test_that_is_deleted_is_fixed_where_the_whole_suite_ran() -> None:
    without = dict.fromkeys((B, C, D), "passed")
    listed = recorded(seen(GREEN, GREEN | {A: "x"}))
    assert about(check(listed, seen(without, without)).fixed) == [A]
    part = check(listed, seen(without, without, whole=False))
    assert (part.fixed, part.complete) == ((), False)
    assert list(part.unchecked.values()) == ["not the whole suite was run"]


def test_a_test_that_fails_before_the_hop_is_not_fixed() -> None:
    found = check(recorded(RED), seen(GREEN | {A: "x"}, GREEN | {A: "x", B: "x"}))
    assert (found.new, found.fixed) == ((), ())
    assert {line.about: why for line, why in found.unchecked.items()} == {
        A: "it fails before the hop, too"
    }


def test_a_test_that_fails_before_the_hop_and_is_skipped_after_is_not_fixed() -> None:
    listed = recorded(seen(GREEN, GREEN | {A: "x"}))
    found = check(listed, seen(GREEN | {A: "x"}, GREEN | {A: "skipped"}))
    assert (found.fixed, about(found.unchecked)) == ((), [A])
    assert about(check(listed, seen(GREEN | {A: "skipped"}, GREEN | {A: "skipped"})).fixed) == [A]


def test_a_flaky_test_is_neither_new_nor_fixed() -> None:
    wobbly = msgspec.structs.replace(case(A, "passed"), flaky=True)
    rest = tuple(case(name, "passed") for name in (B, C, D))
    flaky = run(cell(0, GREEN), many.result(PATH[1], "passed", (wobbly, *rest)))
    assert flaky[0].hops[0].verdict == "clean"
    found = check(recorded(seen(GREEN, GREEN | {A: "x"})), flaky)
    assert (found.new, found.fixed, about(found.unchecked)) == ((), (), [A])


def test_a_hop_that_was_not_run_says_nothing() -> None:
    absent = run(cell(0, GREEN), cell(1, {}, status="not-run"))
    found = check(recorded(RED), absent)
    assert (found.new, found.fixed, found.complete) == ((), (), False)
    assert about(found.unchecked) == [A, B]
    assert list(found.unjudged) == [HOP]


def test_a_hop_that_the_run_does_not_have_says_nothing_and_is_no_fault() -> None:
    other = Line(hop=HOP.replace("3.12", "3.11"), kind="breaks", cause="0" * 10, about=A)
    listed = lines.with_new(recorded(RED), [other])
    found = check(listed, RED)
    assert (found.new, found.fixed, found.complete) == ((), (), True)
    assert found.unchecked == {other: "the run does not have this hop"}
    assert recorded(RED, listed).lines == listed.lines


def test_a_hop_that_may_fail_is_left_out() -> None:
    found = check(Listed(), run(cell(0, GREEN), cell(1, {A: "x"}, allow_failure=True)))
    assert (found.new, found.unjudged) == ((), {HOP: "it may fail (allow-failure)"})


def test_a_suite_that_does_not_load_is_one_line_and_hides_the_others() -> None:
    died = (Pass(mode="plain", died="import"),)
    dead = run(
        cell(0, GREEN),
        cell(1, {}, status="uncollectable", failures=(("plain", GONE),), passes=died),
    )
    found = check(recorded(RED), dead)
    assert about(found.new) == [SUITE]
    assert found.fixed == ()
    assert about(found.unchecked) == [A, B]
    both = recorded(dead, recorded(RED))
    assert about(check(both, dead).known) == [SUITE]
    alive = check(both, RED)
    assert (about(alive.fixed), about(alive.known)) == ([SUITE], [A, B])


def test_a_module_that_does_not_load_is_one_line_and_hides_what_is_in_it() -> None:
    module = A.partition("::")[0]
    lost = msgspec.convert({"id": module, "strict": "error", "plain": "error", "failure": GONE},
                           Case)  # fmt: skip
    rest = tuple(case(name, "passed") for name in (B, C, D))
    after = many.result(PATH[1], "failed", (*rest, lost), failures=((module, GONE),))
    dead = run(cell(0, GREEN), after)
    found = check(recorded(RED), dead)
    assert about(found.new) == [module]
    assert about(found.fixed) == [B]
    assert about(found.unchecked) == [A]
    assert about(check(recorded(dead), RED).fixed) == [module]
    part = (msgspec.structs.replace(RED[0], whole=False), RED[1])
    assert about(check(recorded(dead), part).fixed) == [module]


def test_a_run_that_ends_early_is_one_line_and_hides_what_did_not_run() -> None:
    after = cell(1, {B: "passed"}, status="crashed", reason="the process died in a test")
    crashed = run(cell(0, GREEN), after)
    found = check(recorded(seen(GREEN, GREEN | {B: "x"})), crashed)
    assert (about(found.new), about(found.fixed)) == ([REST], [B])
    assert about(check(recorded(crashed), RED).fixed) == [REST]


def test_a_run_that_ends_early_is_a_break_though_every_test_passed() -> None:
    late = run(cell(0, GREEN), cell(1, GREEN, status="timed-out", reason="it took too long"))
    assert about(recorded(late).lines) == [REST]
    both = cell(0, GREEN, status="timed-out"), cell(1, GREEN | {A: "x"}, status="timed-out")
    assert about(check(recorded(late), run(*both)).unchecked) == [REST]


def test_what_vanishes_and_what_is_skipped_is_a_break() -> None:
    now = seen(GREEN, {A: "", B: "skipped", C: "passed", D: "passed"})
    found = check(recorded(RED), now)
    assert [(line.about, line.cause) for line in found.new] == [(A, "vanished"), (B, "skipped")]
    assert about(found.fixed) == [A, B]


def test_an_address_in_the_id_of_a_test_makes_it_no_other() -> None:
    first, second = (f"t.py::test[<object at 0x7f{n}>]" for n in ("aa01", "bb02"))
    before = seen({first: "passed", B: "passed"}, {first: "x", B: "passed"})
    listed = recorded(before)
    same = check(listed, seen({second: "passed", B: "passed"}, {second: "x", B: "passed"}))
    assert (same.new, same.fixed, len(same.known)) == ((), (), 1)
    mended = check(listed, seen({second: "passed", B: "passed"}, {second: "passed", B: "passed"}))
    assert mended.fixed == same.known


def use(place: str, message: str = "url() is deprecated", owner: str = "project") -> Deprecation:
    return Deprecation(
        category="RemovedInDjango50Warning",
        message=message,
        place=place,
        owner=Owner(owner),
        removed_in="5.0",
    )


def deprecated(*uses: Deprecation, **more: object) -> Ran:
    return run(cell(0, GREEN, deprecations=uses, **more), cell(1, GREEN))


def test_a_use_of_what_the_hop_removes_is_listed_by_file() -> None:
    listed = recorded(deprecated(use("shop/urls.py:3"), use("django/x.py:1", owner="django")))
    assert [(line.kind, line.about) for line in listed.lines] == [("deprecated", "shop/urls.py")]
    moved = check(listed, deprecated(use("shop/urls.py:300")))
    assert (moved.new, moved.fixed) == ((), ())
    other = check(listed, deprecated(use("shop/urls.py:3", "include() is deprecated")))
    assert (about(other.new), about(other.fixed)) == (["shop/urls.py"], ["shop/urls.py"])


def test_a_use_by_a_package_names_it() -> None:
    theirs = msgspec.structs.replace(use("django/x.py:1"), owner=Owner("package", "filters"))
    assert [line.about for line in recorded(deprecated(theirs)).lines] == ["filters: django/x.py"]


def test_a_use_is_fixed_only_where_it_would_have_been_seen() -> None:
    listed = recorded(deprecated(use("shop/urls.py:3")))
    silent = check(listed, deprecated(passes=(Pass(mode="strict", canary=False),)))
    assert (silent.fixed, list(silent.unchecked.values())) == ((), ["tests silence warnings"])
    early = run(cell(0, GREEN, status="timed-out"), cell(1, GREEN | {A: "x"}, status="failed"))
    assert check(listed, early).fixed == ()
    assert about(check(listed, deprecated()).fixed) == ["shop/urls.py"]


def test_a_use_that_only_the_cell_after_has_seen_is_not_listed() -> None:
    late = run(cell(0, GREEN), cell(1, GREEN, deprecations=(use("shop/urls.py:3"),)))
    assert late[0].deprecations[0].hop == HOP
    assert recorded(late).lines == frozenset()


def stepped(*statuses: str, findings: tuple[Finding, ...] = ()) -> Ran:
    """The run of a hop whose step `checks` ends so before and after."""
    made = [Step(status=status) for status in statuses]  # type: ignore[arg-type]
    if findings:
        made[1] = msgspec.structs.replace(made[1], findings=findings)
    steps = [{"steps": {"checks": one}} for one in made]
    return run(cell(0, GREEN, **steps[0]), cell(1, GREEN, **steps[1]))


def test_a_step_that_newly_fails_is_a_line() -> None:
    error = Finding(id="models.E001", level="error", text="no")
    listed = recorded(stepped("ok", "found", findings=(error,)))
    assert [(line.kind, line.about) for line in listed.lines] == [("step", "checks")]
    other = check(listed, stepped("ok", "found", findings=(msgspec.structs.replace(
        error, id="models.E002"),)))  # fmt: skip
    assert (about(other.new), about(other.fixed)) == (["checks"], ["checks"])
    assert about(check(listed, stepped("ok", "ok")).fixed) == ["checks"]
    undone = check(listed, seen(GREEN, GREEN))
    assert (undone.fixed, list(undone.unchecked.values())) == ((), ["it was not done"])


OUTCOMES = st.sampled_from(("passed", "x", "y", "skipped", ""))
SUITES = st.fixed_dictionaries(dict.fromkeys(NAMES, OUTCOMES)).map(
    lambda found: found | {"tests/test_e.py::always": "passed"}
)
RUNS = st.tuples(SUITES, SUITES)
Ends = tuple[dict[str, str], dict[str, str]]


def expected(before: dict[str, str], after: dict[str, str]) -> set[tuple[str, str]]:
    """What breaks, from the outcomes alone: an oracle that knows nothing of djhop."""
    broken = set()
    for name, was in before.items():
        now = after[name]
        if now in ("x", "y") and now != was:
            broken.add((name, now))
        if was == "passed" and now in ("", "skipped"):
            broken.add((name, now))
    return broken


def told(was: str, now: str) -> bool:
    """Whether a test that does not break is known not to: it is fine after, or gone."""
    return now == "passed" or was == now == "" or (now == "skipped" and was not in ("x", "y"))


@settings(max_examples=30)
@given(RUNS, RUNS)
def test_each_change_of_a_test_is_seen(then: Ends, now: Ends) -> None:
    listed = recorded(seen(*then))
    found = check(listed, seen(*now))
    assert (seen(*now)[0].hops[0].verdict == "breaks") == bool(found.new or found.known)
    was, is_ = expected(*then), expected(*now)
    still = {name for name, _ in is_}
    assert sorted(about(found.new)) == sorted(name for name, _ in is_ - was)
    assert sorted(about(found.known)) == sorted(name for name, _ in is_ & was)
    gone = {name for name, _ in was - is_}
    fixed = {n for n in gone if n in still or told(now[0][n], now[1][n])}
    assert set(about(found.fixed)) == fixed
    assert set(about(found.unchecked)) == gone - fixed
    again = recorded(seen(*now), listed)
    assert recorded(seen(*now), again) == again
    clean = check(again, seen(*now))
    assert (clean.new, clean.fixed) == ((), ())
    pruned = ratchet.prune(listed, found)
    assert pruned.lines == listed.lines - set(found.fixed)


WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
LINES = st.builds(
    Line,
    hop=st.sampled_from((HOP, HOP.replace("3.12", "3.9"))),
    kind=st.sampled_from(("breaks", "step", "deprecated")),
    cause=st.sampled_from(("0123456789", "vanished", "skipped")),
    about=WORDS,
)


@settings(max_examples=30)
@given(st.lists(LINES, unique=True))
def test_any_name_is_read_back_and_the_order_of_the_file_does_not_matter(made: list[Line]) -> None:
    text = lines.with_new(Listed(), made).text
    assert lines.read(text, "file").lines == frozenset(made)
    assert lines.with_new(Listed(), reversed(made)).text == text
    turned = lines.read("".join(f"{line.text}\n" for line in reversed(made)), "file")
    assert lines.with_new(turned, ()).lines == frozenset(made)


@settings(max_examples=30)
@given(st.lists(LINES, unique=True), st.data())
def test_what_two_branches_add_can_be_merged_line_by_line(
    made: list[Line], data: st.DataObject
) -> None:
    sides = [data.draw(st.sets(st.sampled_from(made)) if made else st.just(set())) for _ in "ab"]
    texts = [lines.with_new(Listed(), side).text.splitlines() for side in sides]
    merged = "\n".join(dict.fromkeys(row for row in itertools.chain(*texts) if row))
    assert lines.read(merged, "file").lines == sides[0] | sides[1]


def test_comments_stay_with_the_line_below_them() -> None:
    first = recorded(seen(GREEN, GREEN | {B: "x", D: "x"}))
    rows = first.text.splitlines()
    at = next(n for n, row in enumerate(rows) if B in row)
    listed = lines.read("\n".join([*rows[:at], "# why B", *rows[at:], "# the end"]), "file")
    everything = recorded(seen(GREEN, dict.fromkeys(NAMES, "x")), listed).text.splitlines()
    assert everything[everything.index("# why B") + 1].endswith(B)
    assert everything[-1] == "# the end"
    assert everything[: len(lines.HEADER.splitlines())] == lines.HEADER.splitlines()
    pruned = ratchet.prune(listed, check(listed, seen(GREEN, GREEN | {D: "x"}))).text.splitlines()
    assert pruned == [row for row in listed.text.splitlines() if not row.endswith(B)]


GOOD = f"{HOP} breaks 0123456789 {A}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{GOOD}\n<<<<<<< HEAD\n", "file:2: a merge conflict"),
        (f"{GOOD}\n=======\n", "file:2: a merge conflict"),
        (f"{GOOD}\n>>>>>>> other\n", "file:2: a merge conflict"),
        (f"# why\n\n{GOOD}\n{GOOD}\n", "file:4: the same as line 3"),
        (f"{HOP} breaks 0123456789", "file:1: it has 3 of 4 words"),
        (f"{HOP} brakes 0123456789 a", "'brakes' is no kind of line"),
        (f"{HOP} breaks 01234567 a", "'01234567' is not a cause"),
        ("4.2..5.0 breaks 0123456789 a", "'4.2..5.0' is not a hop"),
        (f'{HOP} breaks 0123456789 "a', "is not a quoted name"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_line(text: str, said: str) -> None:
    with pytest.raises(UsageError, match="file:") as caught:
        lines.read(text, "file")
    assert said in str(caught.value)
    assert caught.value.hint


def typed(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        cli.main(["baseline", *words])
    return int(str(ended.value.code))


def written(folder: Path, ran: Ran) -> str:
    """A run on disk, whose target is the folder above it."""
    target = msgspec.structs.replace(ran[0].target, root=str(folder.parent))
    whole = msgspec.structs.replace(ran[0], target=target, complete=True)
    many.write(folder, whole, ran[1])
    return str(folder)


def test_record_check_and_prune_at_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "djhop-baseline.txt"
    first = written(tmp_path / "first", RED)
    second = written(tmp_path / "second", seen(GREEN, GREEN | {A: "y", C: "y"}))
    assert typed("check", first) == 2
    assert "djhop baseline record makes it" in capsys.readouterr().err
    assert typed("record", first) == 0
    text = file.read_text("utf-8")
    assert text.count("\n") == len(lines.HEADER.splitlines()) + 3
    assert typed("check", first) == 0
    capsys.readouterr()
    assert typed("check", second) == 1
    said = capsys.readouterr().out
    assert f"djhop baseline record {second}" in said
    assert f"{A}\n    KeyError: a different thing in view 2\n" in said
    assert f"djhop baseline prune {second}" in said
    assert file.read_text("utf-8") == text
    file.write_bytes(text.replace("\n", "\r\n").encode())
    assert typed("prune", second) == 0
    left = "".join(
        row for row in text.splitlines(keepends=True) if not row.endswith((f"{A}\n", f"{B}\n"))
    )
    assert file.read_bytes() == left.replace("\n", "\r\n").encode()
    assert sorted(path.name for path in tmp_path.iterdir()) == [file.name, "first", "second"]


def test_a_file_with_a_conflict_is_left_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "known.txt"
    file.write_text(f"<<<<<<< HEAD\n{GOOD}\n=======\n>>>>>>> other\n", "utf-8")
    before = file.read_bytes()
    for word in ("record", "check", "prune"):
        where = written(tmp_path / word, RED)
        assert typed(word, where, "--file", str(file)) == 2
        assert f"{file}:1: a merge conflict is not resolved" in capsys.readouterr().err
    assert file.read_bytes() == before


def test_a_run_that_tells_nothing_is_not_recorded(tmp_path: Path) -> None:
    where = written(tmp_path / "run", run(cell(0, GREEN), cell(1, {}, status="not-run")))
    assert typed("record", where) == 4
    assert not (tmp_path / "djhop-baseline.txt").exists()


def test_a_known_break_hides_nothing_else_from_a_gate() -> None:
    known, _ = RED
    assert ratcheting.beside_breaks(known) is ExitCode.OK
    (hop,) = known.hops
    assert hop.verdict == "breaks"
    flaky = KnownFlaky(id=A, reason="r", expires=datetime.date(2020, 1, 1))
    old = msgspec.structs.replace(known, known_flaky=(flaky,))
    assert ratcheting.beside_breaks(old) is ExitCode.BREAKS
    for status, code in (("unresolvable", ExitCode.BLOCKED), ("infra", ExitCode.INCOMPLETE)):
        lost = msgspec.structs.replace(
            known, cells=(known.cells[0], msgspec.structs.replace(known.cells[1], status=status))
        )
        assert ratcheting.beside_breaks(lost) is code
