"""A pass whose processes end in tests: which of them are named, and what runs in a further one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from djhop.cells import starts
from djhop.cells.starts import Limits, Started, Starts
from djhop.processes.process import Command, Completed
from djhop.results import passes
from djhop.results.eventlog import Begin, Collected, End, Event, Report, Start, Stop
from djhop.results.passes import Ran, outcomes

Overdue = Callable[[float, float], bool]
#: What a made-up process does in each test: "passed", a signal or exit code, "hangs", "setup"
#: (it dies before the test begins).
Plan = dict[str, str | int]


class Suite:
    """Processes that write what the probe would, one after the other."""

    def __init__(self, folder: Path, plan: Plan, *, deaf: bool = False, together: int = 1) -> None:
        self.log, self._plan, self._deaf, self._together = folder / "log", plan, deaf, together
        self.left: list[float | None] = []
        self.limits: list[int] = []
        self.told: list[tuple[int, int]] = []
        self._done: tuple[str, ...] = ()

    def make(self, start: int, done: tuple[str, ...], left: float | None) -> Started:
        self.left.append(left)
        self._done = () if self._deaf else done
        self._pid = 100 + start
        output = self.log.with_name("output")
        output.write_bytes(b"x" * 1000 * (start - 1))
        command = Command(argv=("python",), cwd="/", env={}, timeout=left, log=str(output))
        return Started(command=command, stacks=self.log.with_name(f"stacks-{start}"))

    def _write(self, *found: Event) -> None:
        with self.log.open("ab") as file:
            for event in found:
                event.pid = self._pid
                file.write(msgspec.json.encode(event) + b"\n")

    def run(self, command: Command, tick: Callable[[], None], overdue: Overdue) -> Completed:
        rest = [test for test in self._plan if test not in self._done]
        self.limits.append(command.limit)
        if self._plan.get(rest[0]) == "unborn" and self._done:
            return Completed(argv=("python",), returncode=1, seconds=10.0)
        self._write(Begin(framework="django"), Collected(ids=tuple(rest)))
        code, late = self._tests(rest, overdue)
        if code is None and not late:
            self._write(End(code=0))
        if not late:
            assert not overdue(0.0, 0.0)
        tick()
        return Completed(argv=("python",), returncode=code or 0, seconds=10.0, timed_out=late)

    def _tests(self, rest: list[str], overdue: Overdue) -> tuple[int | None, bool]:
        for at, test in enumerate(rest):
            act = self._plan[test]
            if act == "setup":
                return -11, False
            self._write(*(Start(id=other) for other in rest[at : at + self._together]))
            if isinstance(act, int):
                return act, False
            if act == "hangs":
                return None, overdue(1.0, 1.0) or overdue(100.0, 99.0) or self.left[-1] == 10.0
            self._write(Report(id=test, when="whole", outcome=act), Stop(id=test))
        return None, False

    def ran(
        self,
        limits: Limits = Limits(),  # noqa: B008
        most: int = starts.MOST,
        kills: tuple[tuple[str, ...], ...] = (),
    ) -> Ran:
        over = Starts(
            log=self.log,
            root="/tree",
            limits=limits,
            make=self.make,
            run=self.run,
            told=self.told.append,
            shown=str,
            kills=kills,
        ).run(most)
        self.over = over
        return passes.finish("strict", over.completed, over.events, died=over.died)


def found(ran: Ran) -> dict[str, str]:
    return {test: seen.outcome for test, seen in outcomes(ran).items()}


@pytest.mark.parametrize(
    ("code", "said"), [(-11, "SIGSEGV"), (-9, "SIGKILL"), (0, "exit code 0"), (3, "exit code 3")]
)
def test_a_crash_costs_one_test(tmp_path: Path, code: int, said: str) -> None:
    suite = Suite(tmp_path, {"a": "passed", "b": code, "c": "failed", "d": -6, "e": "passed"})
    ran = suite.ran(kills=(("b",),))
    assert found(ran) == {
        "a": "passed",
        "b": "crashed",
        "c": "failed",
        "d": "crashed",
        "e": "passed",
    }
    exc = outcomes(ran)["b"].exc
    assert exc is not None
    assert (exc.name, exc.message) == (
        "Crash",
        f"the process ended with {said} while this test ran",
    )
    info = ran.info
    assert (info.died, info.running, info.starts, info.returncode) == ("crash", "b", 3, code)
    assert (info.seconds, info.ran) == (30.0, 3)
    # c and d were counted when they were collected first.
    assert suite.told[-1] == (3, 5)


@pytest.mark.parametrize(
    ("kills", "anew"),
    [
        ((), True),
        ((("a",),), True),  # another test: it was somebody else, or the machine
        (((),), True),
        ((("b",),), False),  # again in the same test
        ((("a",), ("c",)), False),  # enough
    ],
)
def test_who_is_killed_begins_anew_unless_it_is_the_same_test_again(
    tmp_path: Path, kills: tuple[tuple[str, ...], ...], anew: bool
) -> None:
    suite = Suite(tmp_path, {"a": "passed", "b": -9, "c": "passed"})
    ran = suite.ran(kills=kills)
    assert suite.over.killed == (("b",) if anew else None)
    assert found(ran) == {"a": "passed", "b": "crashed", "c": "not-run" if anew else "passed"}


def test_a_signal_that_a_test_gives_itself_begins_nothing_anew(tmp_path: Path) -> None:
    suite = Suite(tmp_path, {"a": "passed", "b": -11, "c": "passed"})
    suite.ran()
    assert suite.over.killed is None


def test_nothing_is_started_for_no_test(tmp_path: Path) -> None:
    ran = Suite(tmp_path, {"a": "passed", "b": -11}).ran()
    assert (found(ran), ran.info.starts) == ({"a": "passed", "b": "crashed"}, 1)


def test_a_suite_that_ends_is_started_once(tmp_path: Path) -> None:
    ran = Suite(tmp_path, {"a": "passed"}).ran()
    assert (found(ran), ran.info.starts, ran.info.died) == ({"a": "passed"}, 1, "")


def test_a_loop_of_crashes_is_bounded_and_said(tmp_path: Path) -> None:
    suite = Suite(tmp_path, {f"t{n:02}": -11 for n in range(20)})
    ran = suite.ran()
    told = list(found(ran).values())
    assert told == ["crashed"] * starts.MOST + ["not-run"] * (20 - starts.MOST)
    assert (ran.info.starts, ran.info.died) == (starts.MOST, "crash")
    assert "9 tests left" in suite.over.note


def test_a_runner_that_leaves_nothing_out_is_not_started_for_ever(tmp_path: Path) -> None:
    ran = Suite(tmp_path, {"a": "passed", "b": -11, "c": "passed"}, deaf=True).ran()
    assert found(ran) == {"a": "passed", "b": "crashed", "c": "not-run"}
    assert ran.info.starts == 2


def test_a_crash_outside_the_tests_ends_the_pass(tmp_path: Path) -> None:
    ran = Suite(tmp_path, {"a": "passed", "b": "setup", "c": "passed"}).ran()
    assert found(ran) == {"a": "passed", "b": "not-run", "c": "not-run"}
    assert (ran.info.died, ran.info.running, ran.info.starts) == ("crash", "", 1)


def test_where_several_ran_nobody_knows_which_it_was(tmp_path: Path) -> None:
    plan: Plan = {"a": "passed", "b": -11, "c": "passed", "d": "passed"}
    ran = Suite(tmp_path, plan, together=2).ran()
    assert found(ran) == {"a": "passed", "b": "crashed", "c": "crashed", "d": "not-run"}
    assert ran.info.starts == 1


def test_a_hang_costs_its_limit(tmp_path: Path) -> None:
    suite = Suite(tmp_path, {"a": "passed", "b": "hangs", "c": "passed"})
    ran = suite.ran(Limits(suite=60.0, test=50.0))
    assert found(ran) == {"a": "passed", "b": "crashed", "c": "passed"}
    exc = outcomes(ran)["b"].exc
    assert exc is not None
    assert (exc.name, exc.message) == ("Timeout", "the test took longer than 50 s (test-timeout)")
    assert (ran.info.died, ran.info.starts) == ("hang", 2)
    assert suite.left == [60.0, 50.0]


def test_what_ran_beside_a_hang_runs_again(tmp_path: Path) -> None:
    ran = Suite(tmp_path, {"a": "hangs", "b": "passed", "c": -6, "d": "passed"}, together=2).ran(
        Limits(test=50.0), most=2
    )
    # In the second process c and d run together: nobody knows.
    assert found(ran) == {"a": "crashed", "b": "passed", "c": "crashed", "d": "crashed"}
    alone = Suite(tmp_path / "..", {"x": "hangs", "y": "passed"}, together=2)
    alone.log = tmp_path / "other"
    assert found(alone.ran(Limits(test=50.0), most=1)) == {"x": "crashed", "y": "not-run"}


@pytest.mark.parametrize(("together", "died"), [(1, "hang"), (2, "silence")])
def test_silence_names_its_test_where_there_is_one(
    tmp_path: Path, together: int, died: str
) -> None:
    plan: Plan = {"a": "hangs", "b": "passed", "c": "passed"}
    ran = Suite(tmp_path, plan, together=together).ran(Limits(silence=50.0))
    told = {1: ["crashed", "passed", "passed"], 2: ["crashed", "crashed", "not-run"]}
    assert list(found(ran).values()) == told[together]
    assert ran.info.died == died


def test_the_time_of_all_processes_is_that_of_the_pass(tmp_path: Path) -> None:
    suite = Suite(tmp_path, {"a": -11, "b": "hangs", "c": "passed"})
    ran = suite.ran(Limits(suite=20.0))
    assert suite.left == [20.0, 10.0]
    assert found(ran) == {"a": "crashed", "b": "crashed", "c": "not-run"}
    assert ran.info.died == "timeout"
    exc = outcomes(ran)["b"].exc
    assert exc is not None
    assert "longer than 20 s (timeout)" in exc.message


def test_a_further_process_that_does_not_begin_ended_in_no_test(tmp_path: Path) -> None:
    ran = Suite(tmp_path, {"a": "hangs", "b": "unborn"}, together=2).ran(Limits(test=50.0))
    assert found(ran) == {"a": "crashed", "b": "not-run"}


def test_all_processes_share_the_room_in_the_log(tmp_path: Path) -> None:
    suite = Suite(tmp_path, {"a": -11, "b": -11, "c": "passed"})
    suite.ran()
    whole = suite.limits[0]
    assert suite.limits == [whole, whole - 1000, whole - 2000]


def test_an_interrupt_keeps_what_was_seen(tmp_path: Path) -> None:
    suite = Suite(tmp_path, {"a": -11, "b": -2, "c": "passed"})
    run = suite.run

    def interrupted(command: Command, tick: Callable[[], None], overdue: Overdue) -> Completed:
        done = run(command, tick, overdue)
        return msgspec.structs.replace(done, interrupted=done.returncode == -2)

    suite.run = interrupted  # type: ignore[method-assign]
    ran = suite.ran()
    assert found(ran) == {"a": "crashed", "b": "not-run", "c": "not-run"}
    assert ran.info.died == "interrupted"
