"""Two runs compared: what broke, was fixed, changed its cause."""

from __future__ import annotations

import json
from pathlib import Path

import many
import msgspec
import pytest

from djhop import cli
from djhop.matrix.plan import Cell
from djhop.reports import versus, versus_text
from djhop.results.results import CellResult
from djhop.results.results import Test as Case
from djhop.store.record import Run

CELLS = Cell(django="4.2", python="3.12"), Cell(django="5.0", python="3.12")
ONE, OTHER = many.failure(1), many.failure(2, "a different thing", exception="KeyError")


def case(name: str, outcome: str, **more: object) -> Case:
    """A test that goes so with the filter and without."""
    return msgspec.convert({"id": name, "strict": outcome, "plain": outcome} | more, Case)


def run(*tests: Case, name: str, **changes: object) -> tuple[Run, dict[str, CellResult]]:
    """A run whose first cell is green, and whose second has `tests`."""
    red = any(test.plain == "failed" for test in tests)
    results = {
        CELLS[0].id: many.result(CELLS[0], "passed", (case("a", "passed"), case("b", "passed"))),
        CELLS[1].id: many.result(CELLS[1], "failed" if red else "passed", tests),
    }
    made = many.finished(many.plan_of(CELLS), results)
    return msgspec.structs.replace(made, name=name, **changes), results


FIRST = run(
    case("a", "passed"),
    case("b", "failed", failure=ONE),
    case("c", "failed", failure=ONE),
    case("d", "passed"),
    case("e", "failed", failure=ONE),
    case("f", "passed"),
    name="first",
    inputs="x",
)
SECOND = run(
    case("a", "failed", failure=OTHER),
    case("b", "passed"),
    case("c", "failed", failure=OTHER),
    case("e", "failed", failure=ONE),
    case("f", "skipped", skip_reason="why"),
    case("g", "passed"),
    name="second",
    inputs="y",
)


def compared(before: tuple[Run, dict[str, CellResult]] = FIRST,
             after: tuple[Run, dict[str, CellResult]] = SECOND) -> versus.Versus:  # fmt: skip
    return versus.compare(before[0], after[0], before[1], after[1])


def test_each_test_is_in_its_list() -> None:
    found = compared()
    (cell,) = found.changed
    assert cell.id == CELLS[1].id
    assert versus.listed(cell) == {
        "broke": ("a",),
        "fail for another reason": ("c",),
        "vanished": ("d",),
        "newly skipped": ("f",),
        "fixed": ("b",),
        "new": ("g",),
    }
    assert cell.still_failing == 1
    assert not found.same_inputs
    said = versus_text.text(found, SECOND[0]).splitlines()[1]
    assert said == "Not the same in both: the files (or their dates), the arguments or djhop."


def test_what_a_run_found_flaky_is_no_break() -> None:
    (hop,) = SECOND[0].hops
    unsure = msgspec.structs.replace(hop, flaky_red=("a",), order_dependent=("c",))
    found = compared(after=(msgspec.structs.replace(SECOND[0], hops=(unsure,)), SECOND[1]))
    (cell,) = found.changed
    lists = versus.listed(cell)
    assert not lists.keys() & {"broke", "fail for another reason"}
    assert lists["flaky or order-dependent when run again, not counted"] == ("a", "c")


def test_the_way_back_is_the_opposite() -> None:
    (cell,) = compared(SECOND, FIRST).changed
    lists = versus.listed(cell)
    assert (lists["broke"], lists["fixed"]) == (("b",), ("a",))


def test_a_run_does_not_differ_from_itself() -> None:
    found = compared(FIRST, FIRST)
    assert (found.changed, found.hops, found.new_causes, found.same_inputs) == ((), (), (), True)
    assert "0 cells changed, 2 did not." in versus_text.text(found, FIRST[0])


def test_verdicts_causes_and_uses_that_come_and_go_are_told() -> None:
    results = FIRST[1] | {
        CELLS[1].id: many.result(CELLS[1], "passed", FIRST[1][CELLS[0].id].tests,
                                 deprecations=many.uses()[1:2])
    }  # fmt: skip
    mended = many.finished(many.plan_of(CELLS), results), results
    found = compared(FIRST, mended)
    (hop,) = found.hops
    assert (hop.before, hop.after) == ("breaks", "clean")
    assert len(found.gone_causes) == 1 and not found.new_causes
    assert len(found.new_deprecations) == 1 and "url() is deprecated" in found.new_deprecations[0]
    assert compared(mended, FIRST).gone_deprecations == found.new_deprecations


def test_what_cannot_be_judged_is_said() -> None:
    dead = FIRST[0], {CELLS[0].id: FIRST[1][CELLS[0].id]}
    found = compared(dead, SECOND)
    cell = next(cell for cell in found.cells if cell.id == CELLS[1].id)
    assert (cell.before, cell.verdict) == ("not-run", "unknown")
    assert cell.reason in " ".join(versus_text.text(found, SECOND[0]).split())


def test_cells_of_one_run_alone_are_named() -> None:
    more = many.finished(many.plan_of((*CELLS, Cell(django="5.2", python="3.12"))), FIRST[1])
    found = compared(FIRST, (more, FIRST[1]))
    assert (found.only_before, found.only_after) == ((), ("py3.12-django5.2",))


def test_lists_are_cut_and_say_so() -> None:
    many_broke = run(*(case(f"t{n}", "failed", failure=ONE) for n in range(40)), name="b")
    green = run(*(case(f"t{n}", "passed") for n in range(40)), name="a")
    found = compared(green, many_broke)
    for shown in (
        versus_text.text(found, many_broke[0]),
        versus_text.markdown(found, many_broke[0]),
    ):
        assert "broke: 40" in shown
        assert "32 more" in shown
    assert len(json.loads(versus_text.as_json(found))["cells"][1]["broke"]) == 40


@pytest.mark.parametrize("form", ["text", "markdown", "json"])
def test_two_runs_on_the_command_line(
    form: str, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    for one in (FIRST, SECOND):
        many.write(tmp_path / one[0].name, *one)
    argv = ["diff", "first", "second", "--out", str(tmp_path), "--format", form]
    with pytest.raises(SystemExit) as ended:
        cli.main(argv)
    assert ended.value.code == 0
    shown = capsysbinary.readouterr().out.decode()
    assert ("py3.12-django5.0" in shown) and "broke" in shown


def test_only_diff_takes_two_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for one in (FIRST, SECOND):
        many.write(tmp_path / one[0].name, *one)
    with pytest.raises(SystemExit) as ended:
        cli.main(["report", "first", "second", "--out", str(tmp_path)])
    assert ended.value.code == 2
    assert "unexpected extra argument (second)" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["jsonl", "junit", "sarif", "ctrf", "gitlab-quality"])
def test_an_output_to_a_file_and_to_standard_output_is_the_same(
    form: str, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    many.write(tmp_path / "first", *FIRST)
    argv = ["report", "first", "--out", str(tmp_path), "--format", form]
    for more in ([], ["-o", str(tmp_path / "file")]):
        with pytest.raises(SystemExit):
            cli.main([*argv, *more])
    assert capsysbinary.readouterr().out == (tmp_path / "file").read_bytes() != b""


def test_a_cell_is_named_for_coverage_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    many.write(tmp_path / "first", *FIRST)
    with pytest.raises(SystemExit) as ended:
        cli.main(["report", "first", "--out", str(tmp_path), "--cell", CELLS[0].id])
    assert ended.value.code == 2
    assert "--format cobertura" in capsys.readouterr().err
