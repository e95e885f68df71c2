"""Whether `djhop run` says of every target what the target declares of itself, test by test.

A djhop is run as a user runs it, for one suite of one target; its run.json and cell.json files are
held against expected.toml, which plain tools agree with (test_targets_plainly.py).

DJHOP_ALL_TARGETS=1 adds those that take long and say little that another does not.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import djhop_cli
import filelock
import oracle
import pytest
from djhop_cli import Done
from oracle import Expected
from waiting import alive

TARGETS = Path(oracle.__file__).parent / "targets"
#: pytest alone takes 4 s of CPU for a message of 10 MB, in each of four passes.
LONG = {"huge-message-pytest"}
SUITES = {
    suite.id: suite
    for path in sorted(TARGETS.glob("*/expected.toml"))
    for suite in oracle.expected(path.parent)
    if suite.id not in LONG or os.environ.get("DJHOP_ALL_TARGETS")
}
#: Their twins under the other runner show the same.
SLOW = {
    *("coroutines-pytest", "dead-migration-pytest", "dead-urlconf-pytest", "invalid-escape-pytest"),
    *(
        "flaky-then-broken-pytest",
        "kinds-django",
        "noisy-pytest",
        "order-dependent-django",
        "order-dependent-pytest",
    ),
    *("python-hop-pytest", "reuse-db-pytest", "unexpected-success-django"),
}
#: Lists of a hop that hold test ids, and the change that each stands for.
CHANGES = {
    "broke": "broke",
    "broke_differently": "broke-differently",
    "vanished": "vanished",
    "newly_skipped": "newly-skipped",
    "fixed": "fixed",
    "newly_deprecated": "newly-deprecated",
    "appeared": "appeared",
    "gone": "gone",
    "flaky": "flaky",
    "order_dependent": "order-dependent",
}
#: What stands for a suite that ends badly though every test is fine.
END = "(the end of the suite)"
#: Targets of which what newly fails is run again; of the others it would only take time.
AGAIN = {"kinds", "order-dependent", "flaky-then-broken"}
FINE = {"passed", "skipped", "xfailed", "xpassed"}

pytestmark = pytest.mark.needs_python("3.11", "3.12")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Judged:
    """A suite, and what djhop made of it."""

    suite: Expected
    done: Done
    #: Files of the target that are not as they were before.
    touched: list[str]
    #: Ids of processes that outlived djhop.
    left: list[int]
    #: The folder where what tests have left behind has its ids.
    left_behind: Path

    def cell(self, n: int) -> dict[str, Any]:
        """The cell before (0) or after (1) the hop."""
        return self.done.cells[self.suite.cells[n]]


@pytest.fixture(scope="session")
def judged(shared: Path) -> Callable[[str], Judged]:
    """Run djhop on a suite, by its name: once, whichever worker asks first."""
    return lambda name: _judged(name, shared)


@functools.cache
def _judged(name: str, shared: Path) -> Judged:
    suite = SUITES[name]
    room = shared / "judged" / suite.id
    room.mkdir(parents=True, exist_ok=True)
    kept = room / "kept.json"
    with filelock.FileLock(room / "lock"):
        if not kept.exists():
            kept.write_text(json.dumps(_judge(suite, room, shared)))
    said = json.loads(kept.read_text())
    done = djhop_cli.load(
        room / "reports" / "latest", returncode=said["returncode"], said=said["said"]
    )
    return Judged(
        suite=suite,
        done=done,
        touched=said["touched"],
        left=said["left"],
        left_behind=room,
    )


def _judge(suite: Expected, room: Path, shared: Path) -> dict[str, Any]:
    """Run djhop; return what its folder does not keep."""
    target = oracle.copy(suite.target, room / suite.target.name)
    mark = f"{suite.id}-{os.getpid()}"
    matrix = _matrix(suite, room, {"LEFT_BEHIND": str(room), "DJHOP_MARK": mark})
    before = _state(target)
    done = djhop_cli.run(
        target,
        djhop_cli.matrix_file(room / "matrix.toml", matrix),
        cache=shared / "djhop",
        out=room / "reports",
    )
    changed = before.items() ^ _state(target).items()
    return {
        "returncode": done.returncode,
        "said": done.said,
        "touched": sorted({path for path, _ in changed}),
        "left": list(_processes(f"DJHOP_MARK={mark}")),
    }


def _matrix(suite: Expected, room: Path, env: dict[str, str]) -> dict[str, Any]:
    """The matrix of the suite's two cells."""
    (python, django), (goal_python, goal) = (
        cell.removeprefix("py").split("-django") for cell in suite.cells
    )
    if suite.target.name == "reuse-db":
        # One file for both cells, one after the other, as a database server would have it.
        env = {**env, "REUSED_DB": str(room / "reused.sqlite3")}
    wheels = [oracle.wheel(module, room) for module in suite.target.glob("packages/*.py")]
    return {
        "steps": list(dict.fromkeys((django, goal))),
        "python": python,
        "goal-python": goal_python,
        "test": list(suite.test),
        # What plain tools get for the whole suite: a hang leaves time for the rest.
        "test-timeout": suite.timeout,
        "jobs": 1 if suite.target.name == "reuse-db" else 0,
        "packages": [f"{wheel.name.split('-')[0]} @ {wheel.as_uri()}" for wheel in wheels],
        # Beside the cell's copy of the target: there it outlives a pass, and no other cell sees it.
        "flaky": {"reruns": 2} if suite.target.name in AGAIN else {"reruns": 0},
        "set-env": {"FLAKY_COUNTER": "../counter.txt", **env},
    }


def _state(root: Path) -> dict[str, tuple[int, int, str]]:
    """Everything in `root`: path → mode, time of change in nanoseconds, digest."""
    found = {}
    for path in (root, *root.rglob("*")):
        stat = path.lstat()
        content = path.read_bytes() if path.is_file() else b""
        digest = hashlib.sha256(content).hexdigest()
        found[str(path.relative_to(root))] = (stat.st_mode, stat.st_mtime_ns, digest)
    return found


def _processes(mark: str) -> Iterator[int]:
    """Processes whose environment holds `mark`; none where the system does not say."""
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark.encode() in path.read_bytes():
                yield int(path.parent.name)
        except OSError:
            continue


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] if n in SLOW else []) for n in SUITES]
)
def test_djhop_says_what_is_so(name: str, judged: Callable[[str], Judged]) -> None:
    it = judged(name)
    assert _wrong(it) == []
    assert it.done.run["complete"]
    assert it.touched == []
    assert it.left == []
    assert it.done.returncode == _code(it), it.done.said


def _wrong(it: Judged) -> list[str]:
    """Say in words everything in which djhop's answer is not the declared one."""
    suite, done = it.suite, it.done
    wrong = []

    def compare(what: str, stated: object, found: object) -> None:
        if stated != found:
            wrong.append(f"{what}: stated {stated}, djhop says {found}")

    hop = done.hop(*suite.cells)
    for n, cell in enumerate(suite.cells):
        if suite.status[n]:
            compare(f"{cell} status", suite.status[n], it.cell(n)["status"])
        compare(f"{cell} ends in", suite.ends_in[n], _ended_in(it.cell(n)))
        compare(f"{cell} names it", True, suite.ends_in[n] in it.cell(n)["reason"])
        for mode, told in (("plain", _plain(suite, cell)), ("strict", _strict(suite, cell))):
            stated, found = _for_its_runner(suite, told, _outcomes(done, cell, mode))
            for test in sorted({*stated, *found} - {*hop["flaky"], *_flaky(done, cell)}):
                compare(
                    f"{cell} {mode} {test}",
                    stated.get(test, "absent"),
                    found.get(test, "absent"),
                )
    if suite.verdict:
        compare("verdict", suite.verdict, hop["verdict"])
    for test, change in suite.changes.items():
        found_changes = [word for key, word in CHANGES.items() if test in hop[key]] or ["same"]
        compare(f"change of {test}", [change], found_changes)
    return wrong


def _flaky(done: Done, cell: str) -> set[str]:
    """Tests of which a single run by plain tools says nothing: they end so once and so once."""
    return {name for name, test in done.tests(cell).items() if test.get("flaky")}


def _for_its_runner(suite: Expected, *tables: dict[str, str]) -> Iterator[dict[str, str]]:
    """Let an unexpected success be the failure that Django's runner makes of it."""
    for table in tables:
        failing = {test: "failed" for test, outcome in table.items() if outcome == "xpassed"}
        yield table | (failing if suite.kind == "django" else {})


def _plain(suite: Expected, cell: str) -> dict[str, str]:
    """What djhop is to say plainly: what plain tools do, and what stands for what is broken.

    A module that does not import is an error under its own name; the tests of a class whose
    set-up fails are errors each. Where the process ends in a test, those before it have passed.
    """
    known = suite.outcomes(cell, "plain")
    if suite.ends_in[suite.cells.index(cell)]:
        return known | {t: o for t, o in suite.found(cell).items() if o == "passed"}
    return known | _in_place_of(suite.broken(cell, "plain"), suite)


def _strict(suite: Expected, cell: str) -> dict[str, str]:
    """What djhop is to say strictly: a module that only strictness breaks is no test of its own."""
    broken = suite.broken(cell, "strict") & suite.broken(cell, "plain")
    stated = suite.outcomes(cell, "strict") | _in_place_of(broken, suite) | suite.found(cell)
    return {test: outcome for test, outcome in stated.items() if outcome != "unproven"}


def _in_place_of(broken: frozenset[str], suite: Expected) -> dict[str, str]:
    """The tests that are errors because of `broken` modules and classes."""
    found: dict[str, str] = {}
    for name in broken:
        own = {test for test in suite.tests if test.rpartition(".")[0] == name}
        found |= dict.fromkeys(own or {name}, "error")
    return found


def _outcomes(done: Done, cell: str, mode: str) -> dict[str, str]:
    """Test → outcome as cell.json has it; what is fine strictly was not run plainly again."""
    found: dict[str, str] = {}
    for name, test in done.tests(cell).items():
        outcome = test.get(mode)
        if name == END:
            # Plain tools tell it by their exit status alone: `exits` in expected.toml.
            continue
        if mode == "plain" and outcome is None and test.get("strict") in FINE:
            outcome = test["strict"]
        if mode == "plain" and outcome in ("crashed", "not-run"):
            # Plain tools that end without a word do not say so much.
            continue
        if outcome:
            found[name] = outcome
    return found


def _ended_in(cell: dict[str, Any]) -> str:
    """The test in which every pass of a cell ended; "" where one ended by itself."""
    ended = {run.get("running", "") if run.get("died") else "" for run in cell["passes"]}
    return ended.pop() if len(ended) == 1 else ""


def _code(it: Judged) -> int:
    """The exit code that docs/exit-codes.md gives to what the target declares."""
    if "no-tests" in it.suite.status:
        return 5
    return {"breaks": 1, "unknown": 4}.get(it.suite.verdict, 0)


# What no table of outcomes can say.


@pytest.mark.parametrize("name", [name for name, suite in SUITES.items() if suite.ends_in[1]])
def test_the_end_in_a_test_is_the_projects(name: str, judged: Callable[[str], Judged]) -> None:
    it = judged(name)
    cause = it.done.run["causes"][0]
    assert cause["owner"]["kind"] == "project"
    assert it.suite.ends_in[1] in cause["tests"]
    assert cause["exception"] in ("Crash", "Timeout")


@pytest.mark.parametrize("name", ["background-process-pytest", "background-process-django"])
def test_what_a_test_leaves_running_is_ended(name: str, judged: Callable[[str], Judged]) -> None:
    it = judged(name)
    for file in ("left.pid", "session.pid"):
        assert not alive(int((it.left_behind / file).read_text()))
    for n in (0, 1):
        (note,) = (text for text in it.cell(n)["notes"] if "left running" in text)
        assert note.startswith("the strict run left running what djhop has ended: ")


@pytest.mark.parametrize("name", ["hang-pytest", "hang-django"])
def test_a_hang_ends_in_time_and_names_its_test(name: str, judged: Callable[[str], Judged]) -> None:
    cell = judged(name).cell(1)
    assert [(run["died"], run["starts"]) for run in cell["passes"]] == [("hang", 2)] * 2
    assert cell["seconds"]["strict"] < 5 * judged(name).suite.timeout
    failure = judged(name).done.tests(cell["id"])[judged(name).suite.ends_in[1]]["failure"]
    assert failure["place"] == "test_kind.py:13"
    assert "test-timeout" in failure["message"]


@pytest.mark.parametrize("name", ["os-exit-pytest", "os-exit-django"])
def test_an_exit_with_status_zero_is_no_green(name: str, judged: Callable[[str], Judged]) -> None:
    it = judged(name)
    assert {run["returncode"] for run in it.cell(1)["passes"]} == {0}
    assert it.cell(1)["status"] == "crashed"
    assert it.done.returncode == 1


@pytest.mark.parametrize("name", ["zero-tests-pytest", "zero-tests-django"])
def test_zero_tests_are_never_green(name: str, judged: Callable[[str], Judged]) -> None:
    it = judged(name)
    assert {cell["status"] for cell in it.done.run["cells"]} == {"no-tests"}
    assert "no tests" in it.cell(0)["reason"]
    assert it.done.returncode == 5


def test_a_switched_off_warnings_plugin_is_said(judged: Callable[[str], Judged]) -> None:
    it = judged("no-warnings-pytest")
    for n in (0, 1):
        assert any("no:warnings" in note for note in it.cell(n)["notes"]), it.cell(n)["notes"]


@pytest.mark.parametrize("name", ["no-warnings-pytest", "ini-ignores-pytest"])
def test_the_filter_is_proven_to_be_in_force(name: str, judged: Callable[[str], Judged]) -> None:
    it = judged(name)
    for n in (0, 1):
        canaries = [run["canary"] for run in it.cell(n)["passes"] if run["mode"] != "plain"]
        assert canaries and all(canaries)
        events = (it.done.folder / "cells" / it.suite.cells[n] / "events-strict.jsonl").read_text()
        assert '"canary"' in events


def test_a_marker_that_ignores_warnings_is_not_believed(judged: Callable[[str], Judged]) -> None:
    it = judged("kinds-pytest")
    for n in (0, 1):
        assert any("filter was not in force" in note for note in it.cell(n)["notes"])
    assert [cell["canary"] for cell in it.done.run["cells"]] == [False, False]


@pytest.mark.parametrize("name", ["flaky-pytest", "flaky-django"])
def test_a_flaky_test_is_neither_broken_nor_believed(
    name: str, judged: Callable[[str], Judged]
) -> None:
    it = judged(name)
    flaky = [test for test in it.done.tests(it.suite.cells[1]).values() if test.get("flaky")]
    assert [test["id"].rpartition("test_")[2] for test in flaky] == ["every_other_run_fails"]
    hop = it.done.hop(*it.suite.cells)
    assert hop["flaky"] == [flaky[0]["id"]]
    assert hop["verdict"] != "breaks"
    assert all(cell["flaky"] == [flaky[0]["id"]] for cell in it.done.run["cells"])


@pytest.mark.parametrize("name", ["bad-end-pytest", "bad-end-django"])
def test_a_bad_end_is_a_break_with_a_cause(name: str, judged: Callable[[str], Judged]) -> None:
    it = judged(name)
    assert it.done.tests(it.suite.cells[1])[END]["plain"] == "error"
    (cause,) = (c for c in it.done.run["causes"] if c["modules"] == [END])
    assert (cause["exception"], cause["owner"]["kind"]) == ("ImportError", "project")
    assert it.cell(1)["reason"] == "every test is fine, and the suite exited with 1"


@pytest.mark.parametrize("name", ["skips-when-strict-pytest", "skips-when-strict-django"])
def test_a_skip_that_strictness_causes_is_said(name: str, judged: Callable[[str], Judged]) -> None:
    it = judged(name)
    assert it.done.counts(it.suite.cells[1], "strict") == {"passed": 1, "skipped": 2}
    assert it.done.counts(it.suite.cells[1], "plain") == {"passed": 3}
    (group,) = it.done.hop(*it.suite.cells)["deprecation_groups"]
    (cause,) = (c for c in it.done.run["causes"] if c["id"] == group["cause"])
    assert (cause["exception"], cause["message"], group["tests"]) == ("Skipped", "no feature", 2)


@pytest.mark.parametrize("name", ["oldlib-import-pytest", "oldlib-import-django"])
def test_a_package_that_warns_is_told_from_the_project(
    name: str, judged: Callable[[str], Judged]
) -> None:
    uses = judged(name).cell(1)["deprecations"]
    owners = {use["message"]: (use["owner"]["kind"], use["owner"]["name"]) for use in uses}
    assert ("package", "oldlib") in owners.values(), owners
    assert sorted(kind for kind, _ in owners.values()) == ["package", "project"], owners


def test_what_settings_warn_of_is_recorded(judged: Callable[[str], Judged]) -> None:
    """Django's runner loads settings before the filter: the strict run lives, and it is said."""
    uses = judged("dead-settings-django").cell(0)["deprecations"]
    (use,) = [use for use in uses if use["owner"]["kind"] == "project"]
    assert (use["removed_in"], use["place"].partition(":")[0]) == ("5.0", "settings.py")


@pytest.mark.parametrize(
    ("name", "owner", "place"),
    [
        ("dead-conftest-pytest", "project", "conftest.py"),
        ("dead-migration-django", "project", "app/migrations/0001_initial.py"),
        ("dead-settings-pytest", "project", "settings.py"),
        ("dead-settings-django", "project", "settings.py"),
        ("dead-urlconf-django", "project", "urls.py"),
        # Nothing that is installed has the module.
        ("settings-unimportable-pytest", "environment", "settings.py"),
        ("settings-unimportable-django", "environment", "settings.py"),
    ],
)
def test_a_dead_suite_has_a_cause_and_a_place(
    name: str, owner: str, place: str, judged: Callable[[str], Judged]
) -> None:
    it = judged(name)
    cause = it.done.run["causes"][0]
    assert it.suite.cells[1] in cause["cells"]
    assert (cause["owner"]["kind"], cause["place"].partition(":")[0]) == (owner, place)
