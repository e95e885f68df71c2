"""What is seen while a matrix runs: the grid filling in, what is under way, the time left."""

from __future__ import annotations

import io
import itertools

import pytest
import rich.console

from djhop import estimate, news
from djhop.board import Board
from djhop.estimate import Expected
from djhop.results.results import CellResult, Status
from djhop.results.results import Test as Case
from djhop.underway import State

SERIES = ("4.2", "5.0", "5.1", "5.2")
CELLS = tuple(f"py3.{minor}-django{series}" for minor in (10, 11, 12) for series in SERIES)
PATH = CELLS[-4:]
HOPS = tuple(f"{a}..{b}" for a, b in itertools.pairwise(PATH))


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def begun(
    cells: tuple[str, ...] = CELLS, hops: tuple[str, ...] = (), seconds: float = 0.0, jobs: int = 2
) -> tuple[State, Clock]:
    """A run that has just begun; `seconds` is what each cell and hop took the last time."""
    expected = {one: Expected(seconds=seconds, tests=40) for one in (*cells, *hops)}
    started = news.Started(
        cells=cells,
        folder="",
        path=PATH,
        hops=hops,
        jobs=jobs,
        expected=expected if seconds else {},
    )
    clock = Clock()
    return State(started, clock), clock


def finished(cell: str, status: Status = "passed", failing: int = 0) -> news.Finished:
    python, django = cell.removeprefix("py").split("-django")
    tests = [Case(id=f"t{n}", plain="failed" if n < failing else "passed") for n in range(30)]
    result = CellResult(
        id=cell, django=django, python=python, status=status, tests=tuple(tests), reason="why " * 60
    )
    return news.Finished(result=result, folder="")


def drawn(state: State, width: int = 80, height: int = 40, board: Board | None = None) -> list[str]:
    out = io.StringIO()
    screen = rich.console.Console(file=out, width=width, height=height, force_terminal=False)
    screen.print(board or Board(state))
    return [line.rstrip() for line in out.getvalue().splitlines()]


def test_the_grid_fills_in() -> None:
    state, clock = begun()
    state.take(finished(PATH[0]))
    state.take(finished(PATH[1], "failed", failing=3))
    state.take(finished(CELLS[0], "uncollectable"))
    state.take(news.Stage(cell=PATH[2], stage="strict"))
    state.take(news.Progress(cell=PATH[2], done=15, expected=30))
    state.take(news.Stage(cell=CELLS[1], stage="environment"))
    clock.now += 72
    assert drawn(state) == [
        "Django         4.2                5.0       5.1       5.2",
        "Python 3.10    ✗ uncollectable    ●         ·         ·",
        "Python 3.11    ·                  ·         ·         ·",
        "Python 3.12  ▸ ✓ 30             ▸ ✗ 3/30  ▸ ● 50 %  ▸ ·",
        "",
        "py3.12-django5.1  strict       1 min 12 s  15 of 30 tests",
        "py3.10-django5.0  environment  1 min 12 s",
        "3 of 12 cells done, 2 running; 1 min 12 s",
    ]


def test_tests_of_an_earlier_run_are_expected_until_they_are_collected() -> None:
    state, _ = begun(seconds=10)
    state.take(news.Stage(cell=CELLS[0], stage="strict"))
    assert "0 of about 40 tests" in "\n".join(drawn(state))
    state.take(news.Progress(cell=CELLS[0], done=0, expected=30))
    assert "0 of 30 tests" in "\n".join(drawn(state))
    state.take(news.Stage(cell=CELLS[0], stage="checks"))
    assert "tests" not in "\n".join(drawn(state))


def test_what_is_done_on_hops_is_under_way_too() -> None:
    state, clock = begun(hops=HOPS)
    for cell in CELLS:
        state.take(finished(cell))
    state.take(news.Stage(cell=HOPS[0], stage="reruns"))
    clock.now += 4
    assert f"{HOPS[0]}  reruns       4 s" in drawn(state)
    assert drawn(state)[-1] == "12 of 12 cells done; 4 s"
    state.take(news.Over(hop=HOPS[0]))
    assert not any(line.startswith(HOPS[0]) for line in drawn(state))


@pytest.mark.parametrize("height", [5, 8, 12, 24, 60])
@pytest.mark.parametrize("width", [60, 80, 120])
def test_board_stays_within_the_terminal(width: int, height: int) -> None:
    many = tuple(f"py3.{minor}-django{one}" for minor in range(8, 20) for one in SERIES)
    state, _ = begun(many)
    for cell in many[:20]:
        state.take(finished(cell, "failed", failing=12))
    for cell in many[20:35]:
        state.take(news.Stage(cell=cell, stage="strict"))
        state.take(news.Progress(cell=cell, done=3, expected=30))
    lines = drawn(state, width, height)
    assert len(lines) < height
    assert all(len(line) <= width for line in lines)
    shown = [line for line in lines if line.endswith("3 of 30 tests")]
    more = [line for line in lines if line.startswith("… and")]
    assert more == ([f"… and {15 - len(shown)} more"] if len(shown) < 15 else [])
    assert lines[-1].startswith("20 of 48 cells done, 15 running")
    # The grid goes where it would leave no room for what is under way.
    assert lines[0].startswith("Django") == (height >= 24)


def test_a_narrow_grid_is_cut_to_its_signs() -> None:
    series = ("2.2", "3.2", "4.0", "4.1", "4.2", "5.0", "5.1", "5.2")
    cells = tuple(f"py3.12-django{one}" for one in series)
    state, _ = begun(cells)
    for cell in cells:
        state.take(finished(cell, "uncollectable"))
    assert "✗ uncollectable" in drawn(state, 170)[1]
    assert "✗ uncol…" in drawn(state, 120)[1]
    signs = drawn(state, 80)[1].replace("▸", "")
    assert signs.split() == ["Python", "3.12", *["✗"] * 8]
    assert not drawn(state, 60)[0].startswith("Django")


def test_columns_do_not_jump() -> None:
    state, _ = begun()
    board = Board(state)
    state.take(finished(PATH[0], "uncollectable"))
    wide = drawn(state, board=board)[0]
    state.results.clear()
    assert drawn(state, board=board)[0] == wide


def left(**given: object) -> float | None:
    asked = {"done": {}, "running": {}, "waiting": [], "jobs": 1, **given}
    expected = {"a": Expected(seconds=10), "b": Expected(seconds=20), "c": Expected(seconds=30)}
    return estimate.left(expected, **asked)  # type: ignore[arg-type]


def test_time_left_is_what_the_earlier_run_took() -> None:
    assert left(waiting=["a", "b", "c"]) == 60
    assert left(waiting=["a", "b", "c"], jobs=2) == 40
    assert left(waiting=["c"], running={"a": 4.0}, jobs=2) == 30
    assert left(waiting=["c"], running={"a": 4.0}) == 36
    assert left(running={"a": 14.0}) == 0
    assert left() == 0


def test_nothing_is_said_where_a_cell_is_not_known() -> None:
    assert left(waiting=["a", "new"]) is None
    assert left(running={"new": 1.0}) is None
    assert left(waiting=["a"], done={"new": 99.0}) == 10


def test_a_run_that_goes_slower_takes_longer() -> None:
    # The usual cell took 20 s: with it, 20 + 10 became 20 + 40.
    assert left(waiting=["b"], done={"a": 40.0}) == pytest.approx(20 * 60 / 30)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "longer than the last time"),
        (2.0, "about 5 s left"),
        (42.0, "about 40 s left"),
        (58.0, "about 1 min left"),
        (3570.0, "about 1 h 00 min left"),
        (5400.0, "about 1 h 30 min left"),
    ],
)
def test_time_left_in_words(seconds: float, words: str) -> None:
    assert estimate.in_words(seconds) == words


def test_waiting_for_a_lock_is_no_work() -> None:
    state, clock = begun(CELLS[:2], seconds=10.0)
    for cell in CELLS[:2]:
        state.take(news.Stage(cell=cell, stage="lock"))
    clock.now += 30
    assert state.left() == 10
    state.take(news.Stage(cell=CELLS[0], stage="environment"))
    clock.now += 4
    state.take(finished(CELLS[0]))
    assert state.took == {CELLS[0]: 4.0}


def test_where_no_run_tells_of_hops_the_time_is_that_of_cells() -> None:
    known = {cell: Expected(seconds=10.0) for cell in PATH}
    started = news.Started(cells=PATH, folder="", hops=HOPS, jobs=1, expected=known)
    state = State(started, Clock())
    assert state.line() == "0 of 4 cells done; 0 s; about 40 s left for cells"
    for cell in PATH[:3]:
        state.take(finished(cell))
    state.take(news.Stage(cell=HOPS[0], stage="reruns"))
    assert state.left() == 10
    state.take(finished(PATH[3]))
    assert state.left() is None


def test_hops_of_cells_to_come_count_too() -> None:
    state, _ = begun(PATH, HOPS, seconds=10.0, jobs=1)
    assert state.left() == 70
    for cell in PATH[:3]:
        state.take(finished(cell))
    assert state.left() == 20  # the last cell, and the hop to it
    state.take(finished(PATH[3]))
    assert state.left() is None
