"""The command line as a person types it: real processes, bad input, signals, and what is left."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import counting
import jsonschema
import oracle
import pytest

from djhop.store import store

pytestmark = pytest.mark.needs_python("3.12")

ROOT = Path(__file__).parents[2]
OLD, NEW = "py3.12-django4.2", "py3.12-django5.2"
HOP = 'from = "4.2"\nto = "5.2"\npython = "3.12"\nonly = ["tests"]\nflaky = { reruns = 0 }\n'
#: Variables of the test session that would steer the djhop under test.
OURS = re.compile(r"PYTEST_|COV|DJHOP_|NO_COLOR|FORCE_COLOR|CI$|DJANGO_|COLUMNS|NOX")

SETTINGS = """\
SECRET_KEY = "not a secret"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
USE_TZ = True
"""
MANAGE = """\
import os, sys
from django.core.management import execute_from_command_line
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
execute_from_command_line(sys.argv)
"""
#: One test passes, one breaks on 5.0; what they see of the environment goes to the cell's log.
TESTS = """\
import os
import django
from django.test import SimpleTestCase

class Tiny(SimpleTestCase):
    def test_break(self):
        self.assertLess(django.VERSION, (5,))

    def test_environment(self):
        for name in sorted(os.environ):
            print("SEEN", name, os.environ[name], flush=True)
"""
#: Hangs from 5.0 on until the file $GATE is there, with a process of its own beside it.
GATED = """\
import os, subprocess, time
import django
from django.test import SimpleTestCase

class Gated(SimpleTestCase):
    def test_a_before(self):
        pass

    def test_b_gated(self):
        if django.VERSION >= (5,) and not os.path.exists(os.environ["GATE"]):
            subprocess.Popen(["sleep", "3600"])
            while not os.path.exists(os.environ["GATE"] + "-never"):
                time.sleep(0.05)

    def test_c_break(self):
        self.assertLess(django.VERSION, (5,))
"""


class Done(NamedTuple):
    code: int
    out: str
    err: str


class Djhop:
    """Runs djhop in a folder, with the cache that all tests of this file share."""

    def __init__(self, cwd: Path, cache: Path) -> None:
        self.cwd, self.cache = cwd, cache

    def start(self, *args: str, **env: str) -> subprocess.Popen[str]:
        clean = {name: value for name, value in os.environ.items() if not OURS.match(name)}
        return subprocess.Popen(
            [sys.executable, "-m", "djhop", *args],
            cwd=self.cwd,
            env={**clean, "DJHOP_CACHE": str(self.cache), **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *args: str, **env: str) -> Done:
        return finish(self.start(*args, **env))

    def last(self, out: str = "reports") -> dict[str, Any]:
        return read(self.cwd / out / "latest" / "run.json")

    def log(self, cell: str) -> str:
        folder = self.cwd / "reports" / "latest" / "cells" / cell
        return "".join(path.read_text() for path in sorted(folder.glob("log-*.txt")))


def finish(process: subprocess.Popen[str]) -> Done:
    try:
        out, err = process.communicate(timeout=180)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    assert "Traceback" not in err, err
    assert "internal error" not in err, err
    return Done(process.returncode, out, err)


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def judged(run: dict[str, Any]) -> list[dict[str, Any]]:
    """A run's hops, without how long anything took."""
    return [{**hop, "reruns": {**(hop["reruns"] or {}), "seconds": 0}} for hop in run["hops"]]


def statuses(run: dict[str, Any]) -> dict[str, str]:
    return {cell["id"]: cell["status"] for cell in run["cells"]}


def project(folder: Path, toml: str = HOP, tests: str = TESTS) -> Path:
    """A project on Django 4.2 with nothing in it but a suite."""
    folder.mkdir(parents=True)
    files = {
        "requirements.txt": "Django==4.2.30\n",
        "settings.py": SETTINGS,
        "manage.py": MANAGE,
        "test_tiny.py": tests,
        "djhop.toml": toml,
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def djhop(tmp_path: Path, shared: Path) -> Djhop:
    return Djhop(tmp_path, shared / "djhop-cli-cache")


# What is wrong is said: what, where, and what to type next.

BAD_TARGETS = {
    "missing": (2, "is not a directory", "name the directory"),
    "file": (2, "is not a directory", "name the directory"),
    "empty": (2, "no sign of Django", "name the directory"),
    "flask": (2, "no sign of Django", "name the directory"),
    "untested": (5, "no test suite found", "test ="),
}


@pytest.mark.parametrize("name", BAD_TARGETS)
def test_target_that_is_none(djhop: Djhop, name: str) -> None:
    (djhop.cwd / "file").touch()
    for folder, line in {"empty": "", "flask": "flask\n", "untested": "Django==4.2\n"}.items():
        (djhop.cwd / folder).mkdir()
        (djhop.cwd / folder / "requirements.txt").write_text(line)
    code, what, next_step = BAD_TARGETS[name]
    done = djhop("run", name)
    assert (done.code, done.out) == (code, "")
    assert what in done.err
    assert name in done.err
    assert next_step in done.err
    assert not (djhop.cwd / "reports").exists()


BAD_MATRICES = [
    ('frmo = "4.2"', "bad.toml: frmo: unknown key", "did you mean 'from'?"),
    ('from = "4.3"', "bad.toml: from: unknown Django series '4.3'", "did you mean '4.2'?"),
    ('steps = ["3.2", "4.22"]', "bad.toml: steps", "did you mean '4.2'?"),
    ('python = "3.21"', "bad.toml: python: unknown Python '3.21'", "did you mean '3.1"),
    ("python = 3.10", "bad.toml: python: expected a text", "quotes"),
    ('pythons = ["3.12", "312"]', "bad.toml: pythons[1]: unknown Python", "did you mean '3.12'?"),
    ('[[override]]\ncell = "py3.12"', "bad.toml: override[0].cell: unknown", "'cells'?"),
    ('from = "4.2"\nto = "5.2', "bad.toml:2: not TOML", "quotes"),
    ('matrix = "ltss"', "bad.toml: matrix: no matrix", "lts"),
]


@pytest.mark.parametrize(("text", "what", "next_step"), BAD_MATRICES)
def test_matrix_file_that_cannot_be_understood(
    djhop: Djhop, text: str, what: str, next_step: str
) -> None:
    project(djhop.cwd / "tiny", toml="")
    (djhop.cwd / "bad.toml").write_text(text + "\n")
    done = djhop("run", "tiny", "--matrix", "bad.toml")
    assert (done.code, done.out) == (2, "")
    assert what in done.err
    assert next_step in done.err


def test_target_whose_own_matrix_cannot_be_understood(djhop: Djhop) -> None:
    tiny = project(djhop.cwd / "tiny", toml='frmo = "4.2"\n')
    done = djhop("plan", "tiny")
    assert done.code == 2
    assert "djhop.toml: frmo: unknown key" in done.err
    (tiny / "djhop.toml").unlink()
    (tiny / "pyproject.toml").write_text('[tool.djhop]\nmatrix = "demmo"\n')
    done = djhop("plan", "tiny")
    assert done.code == 2
    assert "pyproject.toml" in done.err
    assert "demmo" in done.err


BAD_LINES = [
    (["run", "tiny", "--cells", "py9*"], "'py9*' matches no cell", OLD),
    (["run", "tiny", "--matrix", "demmo"], "no matrix 'demmo'", "did you mean 'demo'?"),
    (["run", "tiny", "--from", "4.3"], "command line: from: unknown", "did you mean '4.2'?"),
    (["run", "tiny", "--from", "5.2", "--to", "4.2"], "older", "newer"),
    (["hop", "5.2", "4.2", "tiny"], "not newer", "from the older"),
    (["hop", "4.2", "5.22", "tiny"], "unknown Django series '5.22'", "did you mean '5.2'?"),
    (["hop", "4.2"], "Missing argument 'AFTER'", "djhop hop --help"),
    (["run", "--jobs", "many"], "--jobs", "djhop run --help"),
    (["rnu"], "No such command 'rnu'", "djhop --help"),
    (["run", "tiny", "-q", "-v"], "-q and -v contradict", "leave one"),
    (["report", "-v", "--format", "json"], "-v is for the text", "leave -v away"),
    (["report"], "no run in reports", "djhop run makes one"),
    (["report", "nope"], "no run 'nope'", "djhop run makes one"),
    (["report", "damaged"], "run.json is damaged", "run again, or delete"),
    (["report", "newer"], "written by a newer djhop (format 99", "pip install --upgrade djhop"),
]


@pytest.mark.parametrize(("line", "what", "next_step"), BAD_LINES, ids=lambda v: str(v)[:40])
def test_command_line_that_cannot_be_understood(
    djhop: Djhop, line: Sequence[str], what: str, next_step: str
) -> None:
    project(djhop.cwd / "tiny")
    if line[-1] in ("damaged", "newer"):
        (djhop.cwd / "reports" / line[-1]).mkdir(parents=True)
        text = '{"format": 1, "na' if line[-1] == "damaged" else '{"format": 99}'
        (djhop.cwd / "reports" / line[-1] / "run.json").write_text(text)
    done = djhop(*line)
    assert (done.code, done.out) == (2, "")
    assert what in done.err
    assert next_step in done.err


@pytest.mark.parametrize("command", ["", "run", "hop", "plan", "deps", "report", "doctor"])
def test_help_fits_a_screen(djhop: Djhop, command: str) -> None:
    done = djhop(*filter(None, [command]), "--help", COLUMNS="80")
    lines = done.out.splitlines()
    assert done.code == 0
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 80
    assert "..." not in done.out.replace("[ARGS]...", "")


# One run, and everything that reads it.


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> tuple[Djhop, Done]:
    djhop = Djhop(tmp_path_factory.mktemp("tiny"), shared / "djhop-cli-cache")
    project(djhop.cwd / "tiny", HOP + 'set-env = { SET = "{cell}" }\npass-env = ["WANT*"]\n')
    hostile = {
        "CLI_SECRET_TOKEN": "s3cret",
        "WANTED": "yes",
        "PYTEST_ADDOPTS": "--nope",
        "DJANGO_SETTINGS_MODULE": "no.such.settings",
        "PYTHONWARNINGS": "ignore",
        "PYTHONOPTIMIZE": "2",
    }
    return djhop, djhop("run", "tiny", **hostile)


def test_run_says_what_breaks(tiny: tuple[Djhop, Done]) -> None:
    djhop, done = tiny
    assert done.code == 1
    assert "4.2 → 5.2 breaks 1 test for 1 reason, in your code." in done.out
    assert "test_tiny.py:7" in done.out
    reproduce = f"$ djhop run tiny --cells {NEW} -- test_tiny.Tiny.test_break"
    assert reproduce in done.out
    assert "\x1b" not in done.out + done.err
    run = djhop.last()
    assert run["complete"]
    assert statuses(run) == {OLD: "passed", NEW: "failed"}
    assert sorted(path.name for path in (djhop.cwd / "tiny").iterdir()) == [
        *("djhop.toml", "manage.py", "requirements.txt", "settings.py", "test_tiny.py")
    ]


def test_report_is_what_run_printed(tiny: tuple[Djhop, Done]) -> None:
    djhop, done = tiny
    folder = djhop.cwd / "reports" / "latest"
    assert djhop("report").out == done.out
    assert "All of it: djhop report " in done.out
    name = done.out.split("All of it: djhop report ")[1].split()[0]
    assert djhop("report", name, "-v").out == (folder / "report.txt").read_text()
    assert djhop("report", djhop.last()["name"]).out == done.out
    assert djhop("report", "reports/latest").out == done.out
    assert djhop("report", "--format", "markdown").out == (folder / "report.md").read_text()
    assert json.loads(djhop("report", "--format", "json").out) == djhop.last()
    written = djhop("report", "--format", "markdown", "-o", "here.md")
    assert (written.code, written.out) == (0, "")
    assert (djhop.cwd / "here.md").read_text() == (folder / "report.md").read_text()
    assert djhop("report", "--format", "html", "-o", "here.html").code == 0
    assert (djhop.cwd / "here.html").read_text() == (folder / "report.html").read_text()
    assert djhop("report", "--format", "svg").out.startswith("<svg ")
    assert "aria-label=" in djhop("report", "--format", "badge").out
    nowhere = djhop("report", "-o", "no/such/folder/report.txt")
    assert (nowhere.code, "no/such/folder" in nowhere.err) == (4, True)


def test_every_output_of_a_real_run_counts_alike(tiny: tuple[Djhop, Done]) -> None:
    djhop, _ = tiny
    folder = store.find("latest", djhop.cwd / "reports")
    run = folder.load()
    counting.check((run, dict(folder.results())))
    assert djhop("report", "--format", "junit").out == (folder.path / "junit.xml").read_text()
    covered = djhop("report", "--format", "lcov", "--cell", NEW).out
    assert "SF:settings.py\n" in covered and "\nDA:" in covered
    assert "0 cells changed, 2 did not." in djhop("diff", run.name, "latest").out


def test_environment_is_filtered(tiny: tuple[Djhop, Done]) -> None:
    djhop, _ = tiny
    seen = dict(re.findall(r"SEEN (\S+) (.*)", djhop.log(OLD)))
    assert {"SET": OLD, "WANTED": "yes", "DJANGO_SETTINGS_MODULE": "settings"}.items() <= (
        seen.items()
    )
    assert not {"CLI_SECRET_TOKEN", "PYTEST_ADDOPTS", "PYTHONWARNINGS", "PYTHONOPTIMIZE"} & {*seen}
    assert seen["HOME"] != os.environ["HOME"]


def test_reader_that_leaves_is_no_error(tiny: tuple[Djhop, Done]) -> None:
    djhop, _ = tiny
    for command in (["report"], ["plan", "tiny"], ["run", "tiny", "--dry-run"]):
        with djhop.start(*command) as process:
            assert process.stdout
            process.stdout.close()
            assert process.stderr
            assert process.stderr.read() == ""
        assert process.returncode == 0


def test_run_whose_reader_leaves_goes_on(djhop: Djhop) -> None:
    project(djhop.cwd / "tiny")
    with djhop.start("run", "tiny") as process:
        for stream in (process.stdout, process.stderr):
            assert stream
            stream.close()
    assert process.returncode == 1
    assert djhop.last()["complete"]


def test_one_cell_alone_says_why_it_is_red(tiny: tuple[Djhop, Done]) -> None:
    djhop, _ = tiny
    test = "test_tiny.Tiny.test_break"
    done = djhop("run", "tiny", "--out", "alone", "--cells", NEW, "--", test)
    assert done.code == 1
    assert f"There is no hop to judge: {NEW} failed (1 of 1)." in done.out
    assert "1 test  AssertionError:" in done.out
    assert "in your code, test_tiny.py:7" in done.out
    assert "AssertionError" in (djhop.cwd / "alone" / "latest" / "report.md").read_text()


def test_json_is_pure_and_fits_the_schema(djhop: Djhop) -> None:
    project(djhop.cwd / "tiny")
    done = djhop("run", "tiny", "--json", "--", "test_tiny.Tiny.test_environment")
    run = json.loads(done.out)
    jsonschema.validate(run, read(ROOT / "docs" / "schema" / "run.schema.json"))
    assert (done.code, done.err) == (0, "")
    assert statuses(run) == {OLD: "passed", NEW: "passed"}
    assert [cell["ran"] for cell in run["cells"]] == [1, 1]
    assert [hop["verdict"] for hop in run["hops"]] == ["clean"]


@pytest.mark.parametrize("flag", ["--list", "--dry-run"])
def test_what_only_shows_starts_nothing(djhop: Djhop, flag: str) -> None:
    djhop.cache = djhop.cwd / "cache"
    project(djhop.cwd / "tiny")
    done = djhop("run", "tiny", flag, "--", "test_tiny.Tiny")
    assert done.code == 0
    if flag == "--list":
        assert done.out.split() == [OLD, NEW]
    else:
        # Strictly and plainly in each of two cells.
        assert done.out.count("manage.py test") == done.out.count("test_tiny.Tiny") == 4
    assert not (djhop.cwd / "reports").exists()
    # What is kept is which interpreters there are.
    made = {path.name for path in djhop.cache.iterdir()} if djhop.cache.exists() else set()
    assert made <= {"interpreters.json", "running"}


def test_include_and_exclude(djhop: Djhop) -> None:
    project(djhop.cwd / "tiny")
    (djhop.cwd / "wide.toml").write_text(
        'steps = ["4.2", "5.0", "5.2"]\npython = "3.12"\npythons = ["3.11"]\n'
        'exclude = ["py3.11-django4.2"]\ninclude = [{ django = "6.0", python = "3.12" }]\n'
    )
    listed = djhop("run", "tiny", "--matrix", "wide.toml", "--list").out.split()
    assert sorted(listed) == [
        *("py3.11-django5.0", "py3.11-django5.2"),
        *(OLD, "py3.12-django5.0", NEW, "py3.12-django6.0"),
    ]
    some = djhop("run", "tiny", "--matrix", "wide.toml", "--list", "--cells", "py3.12-django5.*")
    assert some.out.split() == ["py3.12-django5.0", NEW]


# What becomes of cells.


def test_missing_interpreter_is_said_and_the_rest_runs(djhop: Djhop) -> None:
    known = [minor for minor in ("3.14", "3.13", "3.10") if minor not in oracle.interpreters()]
    if not known:
        pytest.skip("every Python that Django 5.2 runs on is here")
    absent = f"py{known[0]}-django5.2"
    include = f'include = [{{ django = "5.2", python = "{known[0]}" }}]\n'
    project(djhop.cwd / "tiny", HOP + include)
    done = djhop("run", "tiny", "--install-python", "never", "--", "test_tiny.Tiny.test_break")
    assert statuses(djhop.last()) == {OLD: "passed", NEW: "failed", absent: "no-python"}
    assert f"{absent}: there is no Python {known[0]}." in done.out
    assert f"no Python {known[0]} on this machine" in done.err
    assert f"uv python install {known[0]}" in done.out
    assert done.code == 1
    only = djhop("run", "tiny", "--install-python", "never", "--cells", absent)
    assert only.code == 4


def test_fail_fast_starts_no_more(djhop: Djhop) -> None:
    project(djhop.cwd / "tiny", 'steps = ["4.2", "5.0", "5.2"]\npython = "3.12"\n')
    done = djhop("run", "tiny", "--fail-fast", "--jobs", "1", "-v")
    assert statuses(djhop.last()) == {OLD: "passed", "py3.12-django5.0": "failed", NEW: "not-run"}
    assert done.code == 1
    assert "--fail-fast" in done.out
    # Each step is said, and the report is whole.
    assert re.search(rf"^[\d:]+  {OLD}  environment$", done.err, re.MULTILINE)
    assert re.search(rf"^[\d:]+  {OLD}  \$ \S+/python .*manage\.py test", done.err, re.MULTILINE)
    assert done.out == (djhop.cwd / "reports" / "latest" / "report.txt").read_text()


def test_allowed_failure_is_reported_and_does_not_count(djhop: Djhop) -> None:
    project(djhop.cwd / "tiny", HOP + 'allow-failure = ["django5.2"]\n')
    done = djhop("run", "tiny")
    assert statuses(djhop.last()) == {OLD: "passed", NEW: "failed"}
    assert "may fail" in done.out
    assert done.code == 0
    assert djhop("run", "tiny", "--cells", NEW).code == 0


def test_no_test_is_never_green(djhop: Djhop) -> None:
    project(djhop.cwd / "tiny", tests="# nothing\n")
    done = djhop("run", "tiny", "--cells", OLD)
    assert statuses(djhop.last()) == {OLD: "no-tests"}
    assert done.code == 5
    assert "no test" in done.out


def test_overrides_of_single_cells(djhop: Djhop) -> None:
    toml = HOP + (
        "before = [\"python -c \\\"open('made.txt', 'w').write('x')\\\"\"]\n"
        "after = [\"python -c \\\"print(open('made.txt').read(), 'AFTER')\\\"\"]\n"
        'set-env = { COLOUR = "red", KEPT = "yes" }\n'
        f'[[override]]\ncells = "{NEW}"\nset-env = {{ COLOUR = "blue" }}\n'
        "before = [\"python -c \\\"import os; print(os.environ['COLOUR'], 'OVERRIDDEN')\\\"\"]\n"
    )
    project(djhop.cwd / "tiny", toml)
    done = djhop("run", "tiny", "--", "test_tiny.Tiny.test_environment")
    assert done.code == 0, done
    old, new = djhop.log(OLD), djhop.log(NEW)
    assert "SEEN COLOUR red" in old
    assert "SEEN COLOUR blue" in new
    assert "SEEN KEPT yes" in new
    assert "x AFTER" in old
    assert "OVERRIDDEN" not in old
    assert "blue OVERRIDDEN" in new
    assert not (djhop.cwd / "tiny" / "made.txt").exists()


@pytest.mark.parametrize("command", ["python -c 'raise SystemExit(3)'", "no-such-program"])
def test_failing_command_is_no_verdict_on_the_code(djhop: Djhop, command: str) -> None:
    project(djhop.cwd / "tiny", f'{HOP}[[override]]\ncells = "{NEW}"\nbefore = ["{command}"]\n')
    done = djhop("run", "tiny")
    run = djhop.last()
    assert statuses(run) == {OLD: "passed", NEW: "infra"}
    assert [hop["verdict"] for hop in run["hops"]] == ["unknown"]
    assert done.code == 4
    said = " ".join(done.out.split())
    assert f"the before command `{command}` ended with" in said
    assert "log-before.txt" in said


def test_install_only_then_recreate(djhop: Djhop) -> None:
    djhop.cache = djhop.cwd / "cache"
    project(djhop.cwd / "tiny")
    assert djhop("run", "tiny", "--cells", OLD, "--install-only").code == 0
    assert statuses(djhop.last()) == {OLD: "not-run"}
    assert not djhop.log(OLD)
    (python,) = (djhop.cache / "envs").glob("*/bin/python")
    before = python.parent.parent.stat().st_ino, python.lstat().st_ino
    for options, same in (((), True), (("--recreate",), False)):
        done = djhop("run", "tiny", "--cells", OLD, *options)
        assert done.code == 0
        (python,) = (djhop.cache / "envs").glob("*/bin/python")
        assert ((python.parent.parent.stat().st_ino, python.lstat().st_ino) == before) is same


# Signals.


@pytest.fixture
def gated(djhop: Djhop) -> Iterator[tuple[Djhop, str]]:
    """A project whose cell on 5.2 hangs, and the mark that all its processes bear."""
    if sys.platform != "linux":
        pytest.skip("looks for processes in /proc")
    mark = uuid.uuid4().hex
    toml = f'{HOP}set-env = {{ MARK = "{mark}", GATE = "{djhop.cwd / "gate"}" }}\n'
    project(djhop.cwd / "gated", toml, GATED)
    yield djhop, mark
    for pid in marked(mark):
        os.kill(pid, signal.SIGKILL)


def marked(mark: str) -> list[int]:
    """Processes that have the mark of a cell in their environment."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"MARK={mark}".encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def wait(until: Callable[[], object]) -> None:
    limit = time.monotonic() + 90
    while not until():
        assert time.monotonic() < limit, "it did not happen"
        time.sleep(0.05)


def hanging(djhop: Djhop, mark: str) -> subprocess.Popen[str]:
    """Start a run; come back when one cell has finished and the other hangs in its test."""
    process = djhop.start("run", "gated")
    first = djhop.cwd / "reports" / "latest" / "cells" / OLD / "cell.json"
    # djhop's child and the one that the test started.
    wait(lambda: first.exists() and len(marked(mark)) >= 2)
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_keeps_what_finished(gated: tuple[Djhop, str], number: signal.Signals) -> None:
    djhop, mark = gated
    process = hanging(djhop, mark)
    process.send_signal(number)
    done = finish(process)
    assert done.code == 130
    run = djhop.last()
    assert not run["complete"]
    assert statuses(run) == {OLD: "passed", NEW: "interrupted"}
    assert "The run was cut short" in done.out
    assert "--resume" in done.out
    assert marked(mark) == []
    assert [hop["verdict"] for hop in run["hops"]] == ["unknown"]


@pytest.mark.slow
def test_killed_run_is_cleaned_up_and_resumed(gated: tuple[Djhop, str]) -> None:
    djhop, mark = gated
    # In the others' cache, a djhop of another test could be the next one.
    djhop.cache = djhop.cwd / "cache"
    process = hanging(djhop, mark)
    process.kill()
    process.communicate()
    killed = (djhop.cwd / "reports" / "latest").readlink()
    kept = djhop.cwd / "reports" / killed / "cells" / OLD / "cell.json"
    written = kept.stat().st_mtime_ns
    report = djhop("report")
    assert report.code == 0
    assert "The run was cut short" in report.out
    assert "✓ 3" in report.out
    assert marked(mark)
    # The next djhop, whatever it does, ends what the killed one left.
    other = djhop("run", "gated", "--install-only", "--out", "other")
    assert "ended what an earlier djhop left behind" in other.err
    wait(lambda: not marked(mark))
    (djhop.cwd / "gate").touch()
    resumed = djhop("run", "gated", "--resume")
    whole = djhop("run", "gated", "--out", "whole")
    assert (djhop.cwd / "reports" / "latest").readlink() == killed
    assert kept.stat().st_mtime_ns == written
    assert resumed.code == whole.code == 1
    one, two = djhop.last(), djhop.last("whole")
    assert one["complete"]
    for name in ("id", "status", "ran", "failing", "counts", "coverage", "reason"):
        assert [c[name] for c in one["cells"]] == [c[name] for c in two["cells"]]
    assert judged(one) == judged(two)
    assert one["causes"] == two["causes"]


def test_two_at_once(djhop: Djhop) -> None:
    """Same target, same cache, same folder of reports."""
    project(djhop.cwd / "tiny")
    shutil.copytree(djhop.cwd / "tiny", djhop.cwd / "copy")
    both = [finish(one) for one in [djhop.start("run", "tiny") for _ in range(2)]]
    assert [done.code for done in both] == [1, 1]
    runs = [read(path) for path in sorted((djhop.cwd / "reports").glob("2*/run.json"))]
    assert [statuses(run) for run in runs] == [{OLD: "passed", NEW: "failed"}] * 2
    assert judged(runs[0]) == judged(runs[1])
    assert runs[0]["cells"][0]["counts"] == runs[1]["cells"][0]["counts"]
