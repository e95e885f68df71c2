"""The probe inside real environments, beside the same suite run without it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import oracle
import pytest
import uv

import djhop
from djhop.cells.starts import Limits, Started, Starts
from djhop.processes.process import Command, Spawner
from djhop.results import passes
from djhop.results.passes import Ran, outcomes
from djhop.suites.suites import DUMP

pytestmark = pytest.mark.integration

PROBE = Path(djhop.__file__).parent / "probe"
STRICT = ("-W", "error::DeprecationWarning", "-p", "warnings", "--continue-on-collection-errors")
Event = dict[str, Any]

#: Environment → (Python, its packages); the oldest and newest of what Django upgrades meet.
ENVIRONMENTS = {
    "3.6": ("3.6", "django==2.2.28 pytest==7.0.1 pytest-django pytest-xdist coverage"),
    "3.6-3.2": ("3.6", "django==3.2.25 pytest==7.0.1 pytest-subtests unittest-xml-reporting tblib"),
    "3.8": ("3.8", "django~=4.2.0 pytest pytest-xdist pytest-django pytest-subtests coverage"),
    "3.10-6": ("3.10", "django~=4.2.0 pytest==6.2.5"),
    "3.10": ("3.10", "django~=5.2.0 pytest unittest-xml-reporting tblib coverage"),
    "3.12": (
        "3.12",
        "django~=5.2.0 pytest pytest-xdist pytest-django coverage freezegun pyfakefs tblib",
    ),
    "3.13": ("3.13", "django~=5.2.0 pytest pytest-xdist"),
    "3.14": ("3.14", "django~=6.0.0 pytest pytest-xdist"),
}
#: Between the oldest and the newest; slow.
MORE = [pytest.param(name, marks=pytest.mark.slow) for name in ("3.8", "3.10-6", "3.10")]


@cache
def interpreters() -> dict[str, str]:
    """Every CPython on the machine, by minor."""
    folders = [Path(folder) for folder in os.environ["PATH"].split(os.pathsep)]
    roots = [folder.parent for folder in folders if folder.name == "shims"]
    roots += [Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")), Path.home() / ".pyenv"]
    found = [path for root in roots for path in root.glob("versions/*/bin/python")]
    for folder in folders:
        if folder.name != "shims":
            found += [path for path in folder.glob("python3.*") if path.name[9:].isdigit()]
    query = "import sys; print(sys.implementation.name, '%d.%d' % sys.version_info[:2])"
    minors: dict[str, str] = {}
    for path in found:
        run = subprocess.run([path, "-c", query], capture_output=True, text=True, check=False)
        if run.stdout.startswith("cpython 3."):
            minors.setdefault(run.stdout.split()[1], str(path))
    return {minor: path for minor, path in minors.items() if int(minor[2:]) >= 6}


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Build an environment when it is first asked for; skip where its Python is absent."""
    base = tmp_path_factory.mktemp("envs")

    @cache
    def build(name: str) -> Path:
        minor, packages = ENVIRONMENTS[name]
        if minor not in interpreters():
            pytest.skip(f"no Python {minor} on this machine")
        folder = base / name
        tool = uv.find_uv_bin()
        keep = {k: v for k, v in os.environ.items() if not k.startswith(("UV_", "PYTHON"))}
        for command in (
            [tool, "venv", "-q", "--python", interpreters()[minor], str(folder)],
            [tool, "pip", "install", "-q", "--python", str(folder), *packages.split()],
        ):
            subprocess.run(command, check=True, env=keep)
        return folder / "bin" / "python"

    return build


class Run:
    """What one run printed and logged."""

    def __init__(self, code: int, output: str, log: Path) -> None:
        self.code, self.output = code, output
        lines = log.read_text("ascii").splitlines() if log.exists() else []
        self.events: list[Event] = [json.loads(line) for line in lines]

    def of(self, kind: str) -> list[Event]:
        return [event for event in self.events if event["e"] == kind]

    def outcomes(self) -> dict[str, str]:
        """One outcome per test, the worst of its phases, as djhop reads it."""
        order = ("passed", "skipped", "xfailed", "xpassed", "error", "failed")
        found: dict[str, str] = {}
        for event in self.of("report"):
            if "sub" not in event:
                seen = (found.get(event["id"], "passed"), event["outcome"])
                found[event["id"]] = max(seen, key=order.index)
        return found

    def warned(self) -> list[tuple[Any, ...]]:
        keys = ("category", "message", "when", "id", "fatal")
        return [tuple(event[key] for key in keys) for event in self.of("warning")]

    def raised(self) -> set[str]:
        """The tests in which a deprecation was raised; "" for outside."""
        return {event["id"] or "" for event in self.of("raised")}


class Project:
    """A target on disk, and a way to run it with and without the probe."""

    def __init__(self, root: Path, log: Path) -> None:
        self.root, self.log = root, log

    def write(self, **files: str) -> Project:
        for name, text in files.items():
            path = self.root / (name.replace("__", "/") + ".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text).lstrip("\n"))
        return self

    def environ(self, *path: Path | str, **extra: str) -> dict[str, str]:
        keep = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
        paths = os.pathsep.join(map(str, path))
        return {**keep, "LC_ALL": "C.UTF-8", "PYTHONPATH": paths, **extra}

    def plain(self, python: Path, *argv: str, **extra: str) -> Run:
        environ = self.environ(self.root, **extra)
        run = subprocess.run(
            [python, *argv], cwd=self.root, env=environ, capture_output=True, text=True, check=False
        )
        return Run(run.returncode, run.stdout + run.stderr, Path("/nonexistent"))

    def probed(
        self,
        python: Path,
        mode: str,
        framework: str,
        *argv: str,
        environ: dict[str, str] | None = None,
        **config: Any,
    ) -> Run:
        log, settings = self.log / "events.jsonl", self.log / "probe.json"
        log.unlink(missing_ok=True)
        whole = {
            "events": str(log),
            "mode": mode,
            "framework": framework,
            "argv": argv,
            "root": str(self.root),
            "expect_django": None,
            "overlay": [],
            "tools": [],
            "coverage": None,
            "cell": "cell",
            **config,
        }
        settings.write_text(json.dumps(whole))
        run = subprocess.run(
            [python, "-m", "djhop_probe"],
            cwd=self.root,
            env=self.environ(PROBE, self.root, DJHOP_PROBE=str(settings), **(environ or {})),
            capture_output=True,
            text=True,
            check=False,
        )
        return Run(run.returncode, run.stdout + run.stderr, log)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "target").mkdir()
    (tmp_path / "log").mkdir()
    return Project(tmp_path / "target", tmp_path / "log")


def scrubbed(output: str) -> str:
    """Drop times, and what names the probe's presence: pytest lists nothing of it."""
    output = re.sub(r"\b\d+\.\d+s\b( \(\d:\d\d:\d\d\))?", "TIME", output)
    output = re.sub(r"^=+ (.*?) =+$", r"= \1 =", output, flags=re.MULTILINE)
    return re.sub(r"0x[0-9a-f]+", "0xADDRESS", output)


ODD = """
import unittest, warnings
import pytest

def test_pass(): pass
def test_fail(): assert 1 == 2
def test_deprecated(): warnings.warn("old thing", DeprecationWarning)
def test_pending(): warnings.warn("soon old", PendingDeprecationWarning)
def test_caught():
    with pytest.warns(DeprecationWarning):
        warnings.warn("caught", DeprecationWarning)
def test_chained():
    try:
        warnings.warn("swallowed", DeprecationWarning)
    except DeprecationWarning as e:
        raise AssertionError("surfaces elsewhere") from e
@pytest.mark.skip(reason="by mark")
def test_skip(): pass
def test_skip_inside(): pytest.skip("inside")
@pytest.mark.xfail(reason="known")
def test_xfail(): assert 0
@pytest.mark.xfail(reason="known")
def test_xpass(): pass
@pytest.mark.xfail(reason="known", strict=True)
def test_xpass_strict(): pass
@pytest.mark.xfail(run=False, reason="not run")
def test_xfail_not_run(): pass
@pytest.fixture
def bad_setup(): raise ValueError("setup")
def test_setup_error(bad_setup): pass
@pytest.fixture
def bad_teardown():
    yield
    raise ValueError("teardown")
def test_teardown_error(bad_teardown): pass
def test_both(bad_teardown): assert 0
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_mark_ignores(): warnings.warn("ignored by mark", DeprecationWarning)
@pytest.mark.filterwarnings("default::DeprecationWarning")
def test_mark_shows(): pass
@pytest.mark.parametrize("x", ["a", "\\n"])
def test_param(x): pass
class T(unittest.TestCase):
    def test_subtests(self):
        for i in range(3):
            with self.subTest(i=i):
                self.assertNotEqual(i, 1)
    @unittest.expectedFailure
    def test_expected(self): self.fail()
    @unittest.expectedFailure
    def test_unexpected(self): pass
    @unittest.skip("decorated")
    def test_skipped(self): pass
class C(unittest.TestCase):
    @classmethod
    def setUpClass(cls): raise KeyError("class")
    def test_a(self): pass
"""

ODD_OUTCOMES = {
    "test_pass": "passed",
    "test_fail": "failed",
    "test_deprecated": "failed",
    "test_pending": "passed",
    "test_caught": "passed",
    "test_chained": "failed",
    "test_skip": "skipped",
    "test_skip_inside": "skipped",
    "test_xfail": "xfailed",
    "test_xpass": "xpassed",
    "test_xpass_strict": "failed",
    "test_xfail_not_run": "xfailed",
    "test_setup_error": "error",
    "test_teardown_error": "error",
    "test_both": "failed",
    "test_mark_ignores": "passed",
    "test_mark_shows": "passed",
    "test_param[a]": "passed",
    r"test_param[\n]": "passed",
    "T::test_subtests": "failed",
    "T::test_expected": "xfailed",
    "T::test_unexpected": "failed",
    "T::test_skipped": "skipped",
    "C::test_a": "error",
}


@pytest.fixture
def odd(project: Project) -> Project:
    return project.write(
        tests__test_odd=ODD,
        tests__test_broken="import nonexistent_xyz\n",
        tests__test_warns="import warnings\nwarnings.warn('at import', DeprecationWarning)\n",
    )


class TestPytest:
    @pytest.mark.parametrize(
        "name", ["3.6", "3.6-3.2", "3.8", "3.10-6", "3.10", "3.12", "3.13", "3.14"]
    )
    def test_is_what_pytest_says_and_does(
        self, environment: Callable[[str], Path], odd: Project, name: str
    ) -> None:
        python = environment(name)
        argv = (*STRICT, "-rA", "-p", "no:cacheprovider", "tests")
        plain = odd.plain(python, "-m", "pytest", *argv)
        run = odd.probed(python, "strict", "pytest", *argv)
        assert scrubbed(run.output) == scrubbed(plain.output)
        assert run.code == plain.code == 1
        expected = {f"tests/test_odd.py::{test}": said for test, said in ODD_OUTCOMES.items()}
        assert run.outcomes() == expected
        assert [event["id"] for event in run.of("start")] == list(run.outcomes())
        assert sorted(run.of("collected")[0]["ids"]) == sorted(expected)
        assert run.of("end")[0].items() >= {"code": 1, "ran": len(expected)}.items()
        at = "tests/test_odd.py::"
        assert run.raised() == {"", at + "test_deprecated", at + "test_chained"}
        # The words of pytest itself, test by test.
        words = {"PASSED": "passed", "XFAIL": "xfailed", "XPASS": "xpassed"}
        for word, test in re.findall(r"^(PASSED|XFAIL|XPASS) (\S+::\S+)", plain.output, re.M):
            worse = {
                "tests/test_odd.py::test_teardown_error",
                "tests/test_odd.py::T::test_subtests",
            }
            assert run.outcomes()[test] == words[word] or test in worse

    @pytest.mark.parametrize("name", ["3.6", "3.12"])
    def test_collection_errors_warnings_and_canary(
        self, environment: Callable[[str], Path], odd: Project, name: str
    ) -> None:
        run = odd.probed(environment(name), "strict", "pytest", *STRICT, "tests")
        broken, warns = run.of("collecterror")
        assert (broken["id"], broken["exc"]["type"]) == (
            "tests/test_broken.py",
            "ModuleNotFoundError",
        )
        assert broken["exc"]["frames"][-1][1:] == [1, "<module>", "import nonexistent_xyz"]
        assert (warns["id"], warns["exc"]["message"]) == ("tests/test_warns.py", "at import")
        at = "tests/test_odd.py::"
        assert run.warned() == [
            ("DeprecationWarning", "at import", "collect", None, True),
            ("DeprecationWarning", "old thing", "runtest", at + "test_deprecated", True),
            ("PendingDeprecationWarning", "soon old", "runtest", at + "test_pending", False),
            ("DeprecationWarning", "swallowed", "runtest", at + "test_chained", True),
        ]
        pending = run.of("warning")[2]
        assert pending["stack"][-1][1:] == [pending["line"], "test_pending"]
        assert [(e["ok"], e["id"], e["how"]) for e in run.of("canary")] == [
            (True, at + "test_pass", "native"),
            (False, at + "test_mark_ignores", "native"),
            (False, at + "test_mark_shows", "native"),
        ]

    def test_reports_hold_exceptions_and_reasons(
        self, environment: Callable[[str], Path], odd: Project
    ) -> None:
        run = odd.probed(environment("3.12"), "strict", "pytest", *STRICT, "tests")
        told = {(e["id"].split("::", 1)[1], e["when"]): e for e in run.of("report")}
        chained = told["test_chained", "call"]["exc"]
        assert (chained["type"], chained["cause"]["type"]) == (
            "AssertionError",
            "DeprecationWarning",
        )
        assert told["test_skip", "setup"]["reason"] == "by mark"
        assert told["test_xfail", "call"]["reason"] == "known"
        assert told["test_xpass_strict", "call"]["exc"]["name"] == "XPASS(strict)"
        assert told["C::test_a", "setup"]["exc"]["message"] == "'class'"
        subs = [(e["sub"], e["outcome"]) for e in run.of("report") if "sub" in e]
        assert subs == [("(i=0)", "passed"), ("(i=1)", "failed"), ("(i=2)", "passed")]

    @pytest.mark.parametrize("name", ["3.8", "3.12"])
    def test_subtests_fixture_fails_its_test_once(
        self, environment: Callable[[str], Path], project: Project, name: str
    ) -> None:
        project.write(
            test_s="""
            def test_it(subtests):
                for i in range(3):
                    with subtests.test(msg="m", i=i):
                        assert i != 1
            """
        )
        run = project.probed(environment(name), "plain", "pytest")
        assert run.outcomes() == {"test_s.py::test_it": "failed"}
        assert len(run.of("start")) == len(run.of("stop")) == 1
        assert run.of("end")[0]["ran"] == 1

    def test_plain_and_scoped(self, environment: Callable[[str], Path], odd: Project) -> None:
        python = environment("3.12")
        plain = odd.probed(python, "plain", "pytest", "-p", "warnings", *STRICT[4:], "tests")
        at = "tests/test_odd.py::"
        assert plain.outcomes()[at + "test_deprecated"] == "passed"
        assert ("DeprecationWarning", "at import", "collect", None, False) in plain.warned()
        assert plain.of("canary") == []
        scoped = odd.probed(python, "scoped", "pytest", "-p", "warnings", *STRICT[4:], "tests")
        strict = {f"tests/test_odd.py::{test}": said for test, said in ODD_OUTCOMES.items()}
        assert scoped.outcomes() == strict
        assert [e["id"] for e in scoped.of("collecterror")] == ["tests/test_broken.py"]
        assert ("DeprecationWarning", "at import", "collect", None, False) in scoped.warned()
        assert [e["ok"] for e in scoped.of("canary")] == [True, False, False]

    @pytest.mark.parametrize("name", ["3.6", *MORE[:2], "3.12", "3.13"])
    def test_no_warnings_is_overruled_and_told(
        self, environment: Callable[[str], Path], odd: Project, name: str
    ) -> None:
        (odd.root / "pytest.ini").write_text(
            "[pytest]\naddopts = -p no:warnings\nfilterwarnings =\n    ignore\n"
        )
        run = odd.probed(environment(name), "strict", "pytest", *STRICT, "tests")
        assert run.outcomes()["tests/test_odd.py::test_deprecated"] == "failed"
        assert len(run.of("collecterror")) == 2
        assert run.of("canary")[0].items() >= {"ok": True, "how": "native"}.items()
        assert "no:warnings" in run.of("note")[0]["text"]

    @pytest.mark.parametrize("name", ["3.6", "3.10-6", "3.12"])
    def test_without_the_warnings_plugin_the_probe_is_strict_itself(
        self, environment: Callable[[str], Path], odd: Project, name: str
    ) -> None:
        argv = ("-p", "no:warnings", STRICT[4], "tests")
        run = odd.probed(environment(name), "strict", "pytest", *argv)
        assert run.outcomes()["tests/test_odd.py::test_deprecated"] == "failed"
        assert len(run.of("collecterror")) == 2
        assert run.of("canary")[0].items() >= {"ok": True, "how": "probe"}.items()
        assert "warnings plugin is off" in run.of("note")[0]["text"]

    @pytest.mark.parametrize("name", ["3.6", "3.8", "3.12", "3.13", "3.14"])
    def test_xdist_counts_each_test_once(
        self, environment: Callable[[str], Path], odd: Project, name: str
    ) -> None:
        python = environment(name)
        alone = odd.probed(python, "strict", "pytest", *STRICT, "tests")
        run = odd.probed(python, "strict", "pytest", *STRICT, "-n", "2", "tests")
        assert run.outcomes() == alone.outcomes()
        assert len(run.of("start")) == len(run.of("stop")) == len(alone.outcomes())
        assert len(run.of("report")) == len(alone.of("report"))
        assert run.of("collected")[0]["ids"] == alone.of("collected")[0]["ids"]
        assert sorted(e["id"] for e in run.of("collecterror")) == sorted(
            e["id"] for e in alone.of("collecterror")
        )
        assert all(event["exc"]["frames"] for event in run.of("collecterror"))
        failed = [e for e in run.of("report") if e["id"].endswith("test_fail") and e["exc"]]
        assert failed[0]["exc"]["frames"][-1][2] == "test_fail"
        assert sorted(run.warned(), key=str) == sorted(alone.warned(), key=str)
        assert len({e["pid"] for e in run.of("report")}) == 1
        assert {e["ok"] for e in run.of("canary")} == {True, False}

    @pytest.mark.parametrize("name", ["3.6", "3.12"])
    def test_a_conftest_that_dies_is_fatal(
        self, environment: Callable[[str], Path], odd: Project, name: str
    ) -> None:
        odd.write(
            conftest="""
            import warnings
            def old(): warnings.warn("conftest is old", DeprecationWarning)
            old()
            """
        )
        python = environment(name)
        plain = odd.plain(python, "-m", "pytest", *STRICT, ".")
        run = odd.probed(python, "strict", "pytest", *STRICT, ".")
        assert run.code == plain.code != 0
        (fatal,) = run.of("fatal")
        assert (fatal["exc"]["type"], fatal["exc"]["message"]) == (
            "DeprecationWarning",
            "conftest is old",
        )
        assert run.warned() == [("DeprecationWarning", "conftest is old", "config", None, True)]
        assert run.of("warning")[0]["stack"][-1][2] == "old"
        assert run.of("end")[0].items() >= {"code": plain.code, "ran": 0}.items()

    def test_what_a_conftest_warns_of_is_recorded(
        self, environment: Callable[[str], Path], odd: Project
    ) -> None:
        odd.write(conftest="import warnings; warnings.warn('hm', PendingDeprecationWarning)")
        run = odd.probed(environment("3.12"), "strict", "pytest", *STRICT)
        event = run.of("warning")[0]
        assert (event["message"], event["when"]) == ("hm", "config")
        assert event["stack"][-1][0].endswith("conftest.py")

    @pytest.mark.parametrize("name", ["3.6", "3.12"])
    def test_settings_that_die_under_pytest_django(
        self, environment: Callable[[str], Path], odd: Project, name: str
    ) -> None:
        odd.write(settings="import warnings; warnings.warn('old setting', DeprecationWarning)")
        argv = ("--ds=settings", *STRICT, "tests")
        plain = odd.plain(environment(name), "-m", "pytest", *argv)
        run = odd.probed(environment(name), "strict", "pytest", *argv)
        assert run.code == plain.code != 0
        assert run.of("fatal")[0]["exc"]["message"] == "old setting"
        assert run.of("end")[0]["ran"] == 0


MANAGE = """
import os, multiprocessing, sys
if __name__ == "__main__":
    multiprocessing.set_start_method(os.environ.get("START_METHOD", "fork"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
    from django.core.management import execute_from_command_line
    execute_from_command_line(sys.argv)
"""
SETTINGS = """
import os, warnings
SECRET_KEY = "x"
INSTALLED_APPS = ["app"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
USE_TZ = True
TEST_RUNNER = os.environ.get("RUNNER", "django.test.runner.DiscoverRunner")
TEST_OUTPUT_DIR = "xml"
"""
CASES = '''
import doctest, unittest, warnings
from django.test import TestCase

def double(x):
    """
    >>> double(2)
    4
    """
    return 2 * x

def load_tests(loader, tests, ignore):
    tests.addTests(doctest.DocTestSuite(__name__))
    return tests

class T(TestCase):
    def test_pass(self): pass
    def test_fail(self): self.assertEqual(1, 2)
    def test_error(self): raise ValueError("x")
    def test_deprecated(self): warnings.warn("old thing", DeprecationWarning)
    def test_pending(self): warnings.warn("soon old", PendingDeprecationWarning)
    def test_caught(self):
        with self.assertWarns(DeprecationWarning):
            warnings.warn("caught", DeprecationWarning)
    @unittest.skip("decorated")
    def test_skip(self): pass
    def test_skip_inside(self): self.skipTest("inside")
    @unittest.expectedFailure
    def test_expected(self): self.fail()
    @unittest.expectedFailure
    def test_unexpected(self): pass
    def test_sub(self):
        for i in range(3):
            with self.subTest(i=i):
                self.assertNotEqual(i, 1)
    def test_sub_skip(self):
        with self.subTest("s"):
            self.skipTest("sub")
class TearDown(TestCase):
    def tearDown(self): raise KeyError("td")
    def test_both(self): self.fail("first")
    def test_only(self): pass
@unittest.skip("whole class")
class Skipped(TestCase):
    def test_a(self): pass
    def test_b(self): pass
class SkipInSetUp(TestCase):
    @classmethod
    def setUpClass(cls): raise unittest.SkipTest("in setUpClass")
    def test_a(self): pass
    def test_b(self): pass
class BadSetUp(TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        raise KeyError("up")
    def test_a(self): pass
class BadTearDown(TestCase):
    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        raise KeyError("down")
    def test_a(self): pass
'''
CASE_OUTCOMES = {
    "app.tests.test_odd.T.test_pass": "passed",
    "app.tests.test_odd.T.test_fail": "failed",
    "app.tests.test_odd.T.test_error": "error",
    "app.tests.test_odd.T.test_deprecated": "error",
    "app.tests.test_odd.T.test_pending": "passed",
    "app.tests.test_odd.T.test_caught": "passed",
    "app.tests.test_odd.T.test_skip": "skipped",
    "app.tests.test_odd.T.test_skip_inside": "skipped",
    "app.tests.test_odd.T.test_expected": "xfailed",
    "app.tests.test_odd.T.test_unexpected": "xpassed",
    "app.tests.test_odd.T.test_sub": "failed",
    "app.tests.test_odd.T.test_sub_skip": "skipped",
    "app.tests.test_odd.TearDown.test_both": "failed",
    "app.tests.test_odd.TearDown.test_only": "error",
    "app.tests.test_odd.Skipped.test_a": "skipped",
    "app.tests.test_odd.Skipped.test_b": "skipped",
    "app.tests.test_odd.SkipInSetUp.test_a": "skipped",
    "app.tests.test_odd.SkipInSetUp.test_b": "skipped",
    "app.tests.test_odd.BadTearDown.test_a": "passed",
    "app.tests.test_odd.double": "passed",
    "app.tests.test_umod.M.test_m": "skipped",
    "unittest.loader.ModuleSkipped.app.tests.test_modskip": "skipped",
}


@pytest.fixture
def site(project: Project) -> Project:
    project.write(
        manage=MANAGE,
        settings=SETTINGS,
        app____init__="",
        app__tests__test_odd=CASES,
        app__tests__test_broken="import nonexistent_xyz\n",
        app__tests__test_warns="import warnings\nwarnings.warn('at import', DeprecationWarning)\n",
        app__tests__test_modskip="import unittest\nraise unittest.SkipTest('module')\n",
        app__tests__test_umod="""
        import unittest
        def setUpModule(): raise unittest.SkipTest("umod")
        class M(unittest.TestCase):
            def test_m(self): pass
        """,
    )
    for folder in ("app", "app/tests"):
        (project.root / folder / "__init__.py").touch()
    shutil.rmtree(project.root / "app__", ignore_errors=True)
    return project


class TestDjango:
    @pytest.mark.parametrize("name", ["3.6", "3.6-3.2", *MORE[::2], "3.12", "3.13", "3.14"])
    def test_is_what_the_runner_says_and_does(
        self, environment: Callable[[str], Path], site: Project, name: str
    ) -> None:
        python = environment(name)
        argv = ("manage.py", "test", "-v2")
        plain = site.plain(python, "-W", "error::DeprecationWarning", *argv)
        run = site.probed(python, "strict", "django", *argv)
        assert said_by(run.output) == said_by(plain.output)
        assert len(said_by(run.output)) >= 15
        assert run.code == plain.code == 1
        assert run.outcomes() == CASE_OUTCOMES
        ids = [test for event in run.of("collected") for test in event["ids"]]
        assert sorted(ids) == sorted({*CASE_OUTCOMES, "app.tests.test_odd.BadSetUp.test_a"})
        assert len(run.of("start")) == len(run.of("stop")) == len(CASE_OUTCOMES)
        assert run.of("end")[0].items() >= {"code": 1, "ran": len(CASE_OUTCOMES)}.items()
        assert run.raised() == {"", "app.tests.test_odd.T.test_deprecated"}

    @pytest.mark.parametrize("name", ["3.6", "3.12"])
    def test_failures_around_tests(
        self, environment: Callable[[str], Path], site: Project, name: str
    ) -> None:
        run = site.probed(environment(name), "strict", "django", "manage.py", "test")
        assert [(e["id"], e["exc"]["type"]) for e in run.of("collecterror")] == [
            ("app.tests.test_broken", "ModuleNotFoundError"),
            ("app.tests.test_warns", "DeprecationWarning"),
        ]
        assert [(e["id"], e["when"], e["exc"]["message"]) for e in run.of("classerror")] == [
            ("app.tests.test_odd.BadSetUp", "setUpClass", "'up'"),
            ("app.tests.test_odd.BadTearDown", "tearDownClass", "'down'"),
        ]
        at = "app.tests.test_odd.T."
        assert run.warned() == [
            ("DeprecationWarning", "at import", "collect", None, True),
            ("DeprecationWarning", "old thing", "runtest", at + "test_deprecated", True),
            ("PendingDeprecationWarning", "soon old", "runtest", at + "test_pending", False),
        ]
        subs = [(e["sub"], e["outcome"]) for e in run.of("report") if "sub" in e]
        assert subs == [("(i=1)", "failed")]
        assert [e["ok"] for e in run.of("canary")] == [True]
        assert run.of("note") == []

    def test_plain_and_scoped(self, environment: Callable[[str], Path], site: Project) -> None:
        python = environment("3.12")
        lenient = {**CASE_OUTCOMES, "app.tests.test_odd.T.test_deprecated": "passed"}
        at_import = ("DeprecationWarning", "at import", "collect", None, False)
        old = ("DeprecationWarning", "old thing", "runtest", "app.tests.test_odd.T.test_deprecated")
        plain = site.probed(python, "plain", "django", "manage.py", "test")
        assert plain.outcomes() == lenient
        assert at_import in plain.warned()
        assert (*old, False) in plain.warned()
        assert "DeprecationWarning: old thing" not in plain.output
        assert plain.of("canary") == []
        scoped = site.probed(python, "scoped", "django", "manage.py", "test")
        assert scoped.outcomes() == CASE_OUTCOMES
        assert at_import in scoped.warned()
        assert (*old, True) in scoped.warned()
        assert [e["ok"] for e in scoped.of("canary")] == [True]

    @pytest.mark.parametrize("name", ["3.6-3.2", "3.10"])
    def test_a_runner_that_never_calls_the_base_result(
        self, environment: Callable[[str], Path], site: Project, name: str
    ) -> None:
        runner = {"RUNNER": "xmlrunner.extra.djangotestrunner.XMLTestRunner"}
        argv = ("manage.py", "test")
        run = site.probed(environment(name), "strict", "django", *argv, environ=runner)
        assert run.outcomes() == CASE_OUTCOMES
        assert list((site.root / "xml").iterdir())

    @pytest.mark.parametrize(
        ("name", "start"),
        [("3.6-3.2", "fork"), ("3.10", "fork"), ("3.12", "fork"), ("3.12", "spawn")],
    )
    def test_parallel_is_written_once_by_the_workers(
        self, environment: Callable[[str], Path], site: Project, name: str, start: str
    ) -> None:
        for module in ("modskip", "broken", "warns"):
            (site.root / f"app/tests/test_{module}.py").unlink()
        # Django itself cannot send a doctest, or a skipped module, to a worker.
        site.write(app__tests__test_odd=CASES.replace("def load_tests", "def no_load_tests"))
        argv = ("manage.py", "test", "--parallel", "2")
        begin = {"START_METHOD": start}
        run = site.probed(environment(name), "strict", "django", *argv, environ=begin)
        told = run.outcomes()
        missing = {"ModuleSkipped", "double"}
        expected = {k: v for k, v in CASE_OUTCOMES.items() if not any(m in k for m in missing)}
        assert told == expected
        assert len(run.of("start")) == len(run.of("stop")) == len(told)
        parent = run.of("begin")[0]["pid"]
        assert parent not in {event["pid"] for event in run.of("start") + run.of("canary")}
        frames = [e["exc"]["frames"] for e in run.of("report") if e["outcome"] == "error"]
        assert all(frames)
        assert sorted((e["id"], e["when"]) for e in run.of("classerror")) == [
            ("app.tests.test_odd.BadSetUp", "setUpClass"),
            ("app.tests.test_odd.BadTearDown", "tearDownClass"),
        ]
        assert all(event["ok"] for event in run.of("canary"))
        assert run.of("note") == []
        assert [e["pid"] for e in run.of("end")] == [parent]

    @pytest.mark.parametrize("start", ["fork", "spawn"])
    def test_coverage_of_parallel_workers(
        self, environment: Callable[[str], Path], site: Project, start: str
    ) -> None:
        for module in ("odd", "modskip", "umod", "broken", "warns"):
            (site.root / f"app/tests/test_{module}.py").unlink()
        tests = (
            "import unittest\nclass {0}(unittest.TestCase):\n    def test_a(self):\n        pass\n"
        )
        site.write(app__tests__test_a=tests.format("A"), app__tests__test_b=tests.format("B"))
        data = {"data_file": str(site.log / "cov"), "source": [str(site.root)], "omit": []}
        argv = ("manage.py", "test", "--parallel", "2")
        begin = {"START_METHOD": start}
        run = site.probed(
            environment("3.12"), "strict", "django", *argv, environ=begin, coverage=data
        )
        assert run.code == 0, run.output
        lines = covered(site, environment("3.12"), site.log / "cov")
        assert (lines["test_a.py"], lines["test_b.py"]) == (4, 4)
        assert [path.name for path in site.log.glob("cov*")] == ["cov"]

    @pytest.mark.parametrize("name", ["3.6", "3.12"])
    def test_settings_and_commands_that_die(
        self, environment: Callable[[str], Path], site: Project, name: str
    ) -> None:
        python = environment(name)
        site.write(settings=SETTINGS + "\nraise KeyError('no such variable')\n")
        run = site.probed(python, "strict", "django", "manage.py", "test")
        assert run.code == 1
        assert run.of("fatal")[0]["exc"]["message"] == "'no such variable'"
        assert run.of("end")[0].items() >= {"code": 1, "ran": 0}.items()
        plain = site.plain(python, "manage.py", "test")
        assert [line for line in run.output.splitlines() if "djhop" in line] == []
        assert run.output.splitlines()[-3:] == plain.output.splitlines()[-3:]
        site.write(settings=SETTINGS)
        run = site.probed(python, "strict", "django", "manage.py", "test", "no.such.label")
        assert run.of("fatal") == []
        assert run.of("collecterror")[0]["id"] == "no.such.label"
        run = site.probed(python, "strict", "django", "manage.py", "no_such_command")
        assert run.of("fatal")[0]["exc"]["type"] == "KeyError"

    def test_filters_of_a_test_module_do_not_outlive_it(
        self, environment: Callable[[str], Path], site: Project
    ) -> None:
        site.write(
            app__tests__test_a="""
            import unittest, warnings
            class A(unittest.TestCase):
                def test_a(self): warnings.simplefilter("ignore")
                def test_b(self): warnings.warn("b", DeprecationWarning)
            """
        )
        run = site.probed(environment("3.12"), "strict", "django", "manage.py", "test")
        assert run.outcomes()["app.tests.test_a.A.test_b"] == "error"
        assert "put in force again" in run.of("note")[0]["text"]
        assert all(event["ok"] for event in run.of("canary"))

    def test_a_suite_inside_a_test_is_not_counted(
        self, environment: Callable[[str], Path], site: Project
    ) -> None:
        site.write(
            app__tests__test_a="""
            import unittest
            class Inner(unittest.TestCase):
                def runTest(self): self.fail()
            class A(unittest.TestCase):
                def test_a(self):
                    result = unittest.TestResult()
                    unittest.TestSuite([Inner(), Inner()]).run(result)
                    self.assertEqual(len(result.failures), 2)
            """
        )
        run = site.probed(
            environment("3.12"), "strict", "django", "manage.py", "test", "app.tests.test_a.A"
        )
        assert run.outcomes() == {"app.tests.test_a.A.test_a": "passed"}
        assert len(run.of("start")) == 1

    def test_a_script_finds_what_python_would_give_it(
        self, environment: Callable[[str], Path], site: Project
    ) -> None:
        text = """
        import json, sys
        main = sys.modules["__main__"]
        print(json.dumps([sys.argv, sys.path[0], __name__, __file__, main.__file__,
                          main is sys.modules[__name__], sorted(vars(main)), __spec__ is None]))
        sys.exit(7)
        """
        site.write(tools__show=text, show=text)
        for argv in (("tools/show.py", "a", "b"), ("-m", "show", "c")):
            for name in ("3.6", "3.12"):
                python = environment(name)
                run = site.probed(python, "plain", "django", *argv)
                plain = site.plain(python, *argv)
                assert run.output == plain.output
                assert run.code == plain.code == 7


def said_by(output: str) -> list[str]:
    """Return what Django's runner says of each test, one line each, sorted."""
    lines = re.findall(r"^(?:\s*)(\w+ \([\w.]+\)[^\n]* \.\.\. ?[^\n]*)$", output, re.M)
    counts = re.findall(r"^(?:Ran \d+ tests|FAILED .*)", output, re.M)
    return sorted(lines) + counts


ENDS = {
    "os._exit(0)": (0, False),
    "os.kill(os.getpid(), 9)": (-signal.SIGKILL, False),
    "os.kill(os.getpid(), signal.SIGSEGV)": (-signal.SIGSEGV, False),
    "os.abort()": (-signal.SIGABRT, False),
    "os.closerange(3, 200)": (None, True),
    "os.chdir('/')": (0, True),
    "shutil.rmtree(os.getcwd())": (None, True),
    "os.environ.clear()": (0, True),
    "os.fork() or os._exit(3)": (0, True),
    "os.fork() or sys.exit(3)": (None, True),
}


@pytest.mark.parametrize("framework", ["pytest", "django"])
@pytest.mark.parametrize("act", ENDS)
def test_whatever_a_test_does_to_its_process(
    environment: Callable[[str], Path], project: Project, framework: str, act: str
) -> None:
    code, ends = ENDS[act]
    project.write(
        test_it=f"""
        import os, shutil, signal, sys, unittest
        class T(unittest.TestCase):
            def test_a(self): pass
            def test_b(self):
                {act}
            def test_c(self): pass
        """
    )
    argv = ("-m", "unittest", "test_it") if framework == "django" else ("test_it.py",)
    run = project.probed(environment("3.10"), "strict", framework, *argv)
    parent = run.of("begin")[0]["pid"]
    started = [e["id"].replace("::", ".").rsplit(".", 1)[1] for e in run.of("start")]
    stopped = [e["id"].replace("::", ".").rsplit(".", 1)[1] for e in run.of("stop")]
    if ends:
        assert started == stopped == ["test_a", "test_b", "test_c"]
        assert [e["pid"] for e in run.of("end")] == [parent]
    else:
        assert (started, stopped) == (["test_a", "test_b"], ["test_a"])
        assert run.of("end") == []
    assert code is None or run.code == code


def test_mocks_of_time_files_and_builtins(
    environment: Callable[[str], Path], project: Project
) -> None:
    project.write(
        test_it="""
        import builtins, json, os, time
        from unittest import mock
        import freezegun, pytest

        @pytest.fixture
        def broken():
            boom = mock.Mock(side_effect=RuntimeError)
            with mock.patch("builtins.open", boom), mock.patch.object(os, "write", boom), \\
                 mock.patch.object(json, "dumps", boom):
                yield
        @freezegun.freeze_time("2001-01-01")
        def test_frozen(): assert time.time() < 10**9
        def test_broken(broken): pass
        def test_fakes(fs): assert not os.path.exists("/usr")
        @pytest.fixture
        def frozen():
            with freezegun.freeze_time("2001-01-01"):
                yield
        def test_frozen_fixture(frozen): pass
        """
    )
    run = project.probed(environment("3.12"), "strict", "pytest", *STRICT)
    assert set(run.outcomes().values()) == {"passed"}, run.output
    assert len(run.of("stop")) == 4
    assert all(event["t"] > 1.7e9 for event in run.events)
    assert run.of("end")[0]["code"] == 0


@pytest.mark.parametrize("framework", ["pytest", "django"])
def test_cold_and_warm_see_the_same(
    environment: Callable[[str], Path], project: Project, framework: str
) -> None:
    project.write(
        test_it="""
        import unittest, library, clean
        class T(unittest.TestCase):
            def test_a(self): assert "\\d"
        """,
        library="X = '\\d'\n",
        clean="X = 1\n",
    )
    argv = ("-m", "unittest", "discover") if framework == "django" else ("test_it.py",)
    for name, category in (("3.10", "DeprecationWarning"), ("3.12", "SyntaxWarning")):
        cold = project.probed(environment(name), "plain", framework, *argv)
        warm = project.probed(environment(name), "plain", framework, *argv)
        told = [(w[0], w[2], w[4]) for w in cold.warned()]
        assert told == [(category, "compile", False)] * 2
        assert warm.warned() == cold.warned()
        assert len(list(project.root.rglob("clean*.pyc"))) >= 1
        assert list(project.root.rglob("library*.pyc")) == []
        assert list(project.root.rglob("test_it*.pyc")) == []
    strict = [project.probed(environment("3.10"), "strict", framework, *argv) for _ in "12"]
    if framework == "pytest":
        strict = [
            project.probed(environment("3.10"), "strict", "pytest", *STRICT, *argv) for _ in "12"
        ]
        plain = project.plain(environment("3.10"), "-B", "-m", "pytest", *STRICT, *argv)
        assert strict[0].code == plain.code
    assert strict[0].warned() == strict[1].warned()
    assert strict[0].warned()[0][2:] == ("compile", None, True)
    assert strict[0].of("collecterror")[0]["exc"]["type"] == "SyntaxError"


SWALLOWED = """
import pathlib, unittest, warnings
def old(): warnings.warn("old", DeprecationWarning)
try:
    old()
    NEW = False
except Exception:
    NEW = True
class T(unittest.TestCase):
    def test_swallows(self):
        try:
            old()
        except Exception:
            self.skipTest("no feature")
    def test_expects(self):
        with self.assertRaises(DeprecationWarning):
            old()
    @unittest.skipIf(NEW, "no feature")
    def test_skips(self): pass
    def test_catches(self):
        with warnings.catch_warnings(record=True) as log:
            warnings.simplefilter("always")
            old()
        self.assertEqual(len(log), 1)
    def test_ignores(self):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            old()
    def test_pending(self): warnings.warn("soon", PendingDeprecationWarning)
"""


class TestSwallowed:
    """A deprecation that strictness raises and no failure tells of."""

    @pytest.mark.parametrize("name", ["3.6", *MORE, "3.12", "3.13", "3.14"])
    @pytest.mark.parametrize("framework", ["pytest", "django"])
    def test_is_reported(
        self, environment: Callable[[str], Path], project: Project, framework: str, name: str
    ) -> None:
        project.write(test_it=SWALLOWED)
        argv = ("-m", "unittest", "test_it") if framework == "django" else (*STRICT, "test_it.py")
        run = project.probed(environment(name), "strict", framework, *argv)
        at = "test_it.T." if framework == "django" else "test_it.py::T::"
        assert run.code == 0, run.output
        assert run.raised() == {"", at + "test_swallows", at + "test_expects"}
        if framework == "pytest" and name in ("3.6", "3.12"):
            workers = project.probed(environment(name), "strict", framework, *argv, "-n", "2")
            assert (workers.code, workers.raised()) == (0, run.raised()), workers.output
        plain = [arg for arg in argv if arg not in STRICT[:2]]
        run = project.probed(environment(name), "plain", framework, *plain)
        assert run.of("raised") == []


class TestDjangoVersion:
    def test_another_django_is_refused(
        self, environment: Callable[[str], Path], site: Project
    ) -> None:
        python = environment("3.12")
        for framework, argv in (("django", ("manage.py", "test")), ("pytest", ())):
            run = site.probed(python, "strict", framework, *argv, expect_django="4.2")
            assert run.code == 97
            (refused,) = run.of("refused")
            assert (refused["expected"], refused["found"][:4]) == ("4.2", "5.2.")
            assert run.of("start") == []
            assert run.of("end")[0]["code"] == 97
        run = site.probed(python, "strict", "django", "manage.py", "test", expect_django="5.2")
        assert run.of("begin")[0]["django"].startswith("5.2.")
        assert run.of("refused") == []
        assert run.of("stop")

    @pytest.mark.parametrize("framework", ["pytest", "django"])
    def test_a_django_found_later_is_refused_too(
        self, environment: Callable[[str], Path], project: Project, framework: str
    ) -> None:
        project.write(
            vendored__django____init__="",
            test_it="""
            import sys
            sys.path.insert(0, "vendored")
            import django, unittest
            class T(unittest.TestCase):
                def test_a(self): pass
            """,
        )
        init = project.root / "vendored" / "django" / "__init__.py"
        init.parent.mkdir(exist_ok=True, parents=True)
        init.write_text("VERSION = (1, 2, 3, 'final', 0)\n")
        argv = ("-m", "unittest", "test_it") if framework == "django" else ("test_it.py",)
        run = project.probed(environment("3.12"), "plain", framework, *argv, expect_django="5.2")
        assert run.code == 97
        assert run.of("refused")[0]["found"] == "1.2.3"
        assert run.of("start") == []


class TestCoverage:
    @pytest.mark.parametrize("name", ["3.6", "3.8", "3.12"])
    @pytest.mark.parametrize("extra", [(), ("-n", "2")])
    def test_is_saved_whatever_the_end(
        self,
        environment: Callable[[str], Path],
        project: Project,
        name: str,
        extra: tuple[str, ...],
    ) -> None:
        project.write(
            code="def one():\n    return 1\ndef two():\n    return 2\n",
            test_it="import code_ as code\n",
        )
        (project.root / "code.py").rename(project.root / "code_.py")
        project.write(
            test_it="""
            import code_
            def test_a(): assert code_.one() == 1
            def test_b(): assert code_.two() == 3
            """
        )
        python = environment(name)
        data = self.data_file(project)
        run = project.probed(python, "plain", "pytest", *extra, coverage=self.config(project))
        assert run.code == 1
        assert run.of("note") == []
        assert covered(project, python, data) == {"code_.py": 4, "test_it.py": 3}
        assert [path.name for path in data.parent.glob("cov*")] == ["cov"]

    @pytest.mark.parametrize("end", ["sys.exit(3)", "raise KeyboardInterrupt", "1/0"])
    def test_is_saved_when_the_script_dies(
        self, environment: Callable[[str], Path], project: Project, end: str
    ) -> None:
        project.write(run=f"import sys\nx = 1\n{end}\n")
        python = environment("3.12")
        run = project.probed(python, "plain", "django", "run.py", coverage=self.config(project))
        plain = project.plain(python, "run.py")
        assert run.code == plain.code != 0
        assert covered(project, python, self.data_file(project)) == {"run.py": 3}
        assert run.of("end")

    def test_its_absence_is_noted(self, environment: Callable[[str], Path], odd: Project) -> None:
        run = odd.probed(
            environment("3.13"), "plain", "pytest", STRICT[4], coverage=self.config(odd)
        )
        assert "coverage could not be imported" in run.of("note")[0]["text"]
        assert run.outcomes()

    def data_file(self, project: Project) -> Path:
        return project.log / "cov"

    def config(self, project: Project) -> dict[str, object]:
        return {
            "data_file": str(self.data_file(project)),
            "source": [str(project.root)],
            "omit": [],
            "branch": False,
        }


def covered(project: Project, python: Path, data: Path) -> dict[str, int]:
    """Lines run of each file, by its name."""
    code = (
        "import coverage, json, os, sys; d = coverage.CoverageData(sys.argv[1]); d.read();"
        "print(json.dumps({os.path.basename(f): len(d.lines(f)) for f in d.measured_files()}))"
    )
    found = json.loads(project.plain(python, "-c", code, str(data)).output)
    return {name: count for name, count in found.items() if count}


def test_overlay_and_tools_come_last(
    environment: Callable[[str], Path], project: Project, tmp_path: Path
) -> None:
    overlay, tools = tmp_path / "overlay", tmp_path / "tools"
    (overlay / "linked").mkdir(parents=True)
    tools.mkdir()
    (overlay / "linked.pth").write_text("linked\n")
    project.write(run="import json, sys\nprint(json.dumps(sys.path))\n")
    run = project.probed(
        environment("3.12"), "plain", "django", "run.py", overlay=[str(overlay)], tools=[str(tools)]
    )
    assert json.loads(run.output)[-3:] == [str(overlay), str(overlay / "linked"), str(tools)]


@pytest.mark.parametrize("minor", sorted(interpreters()))
def test_every_interpreter_runs_a_suite_through_it(project: Project, minor: str) -> None:
    project.write(
        test_it="""
        import unittest, warnings
        class T(unittest.TestCase):
            def test_a(self): pass
            def test_b(self): warnings.warn("old", DeprecationWarning)
            def test_c(self): warnings.warn("older", PendingDeprecationWarning)
            @unittest.skip("s")
            def test_d(self): pass
        """,
        test_broken="import nonexistent_xyz\n",
    )
    argv = ("-m", "unittest", "test_it", "test_broken")
    run = project.probed(Path(interpreters()[minor]), "strict", "django", *argv)
    assert run.outcomes() == {
        "test_it.T.test_a": "passed",
        "test_it.T.test_b": "error",
        "test_it.T.test_c": "passed",
        "test_it.T.test_d": "skipped",
    }
    assert [e["id"] for e in run.of("collecterror")] == ["test_broken"]
    assert [(w[0], w[4]) for w in run.warned()] == [
        ("DeprecationWarning", True),
        ("PendingDeprecationWarning", False),
    ]
    assert all(event["stack"] for event in run.of("warning"))
    assert [e["ok"] for e in run.of("canary")] == [True]
    assert run.of("note") == []
    assert run.of("begin")[0]["python"].startswith(minor + ".")
    assert run.of("end")[0].items() >= {"code": 1, "ran": 4}.items()


def test_this_interpreter_is_among_them() -> None:
    assert f"3.{sys.version_info[1]}" in interpreters()


# A test that ends its process, or never ends: djhop's own loop around the probe.

ENDING = """
import ctypes, os, time, unittest, warnings
class Ending(unittest.TestCase):
    def test_a(self): pass
    if "ENDING" in os.environ:
        def test_b_crash(self): ctypes.string_at(0)
    def test_c_fails(self): self.fail()
    if "ENDING" in os.environ:
        def test_d_hangs(self): time.sleep(600)
    def test_e(self): pass
class Further(unittest.TestCase):
    @classmethod
    def setUpClass(cls): cls.ready = True
    if "ENDING" in os.environ:
        def test_f_exit(self): os._exit(0)
    def test_g(self): assert self.ready
    @unittest.skip("s")
    def test_h(self): pass
    def test_i_deprecated(self): warnings.warn("old", DeprecationWarning)
"""
#: Which of them end their process, and where the stack of each is.
CULPRITS = {"test_b_crash": 5, "test_d_hangs": 8, "test_f_exit": 0}


def passed_on(
    python: Path, project: Project, framework: str, *argv: str, seconds: float, **extra: str
) -> Ran:
    """Run a suite as a cell does, through as many processes as it takes."""
    env = project.environ(PROBE, project.root, ENDING="1", **extra)
    spawner = Spawner()

    def make(start: int, done: tuple[str, ...], _left: float | None) -> Started:
        config, stacks = project.log / "probe.json", project.log / f"stacks-{start}.txt"
        whole = {
            "events": str(project.log / "events.jsonl"),
            "mode": "plain",
            "framework": framework,
            "argv": argv,
            "root": str(project.root),
            "stacks": str(stacks),
            "dump": DUMP,
            "done": done,
        }
        config.write_text(json.dumps(whole))
        command = Command(
            argv=(str(python), "-m", "djhop_probe"),
            cwd=str(project.root),
            env={**env, "DJHOP_PROBE": str(config)},
            dump=DUMP,
            log=str(project.log / "log.txt"),
        )
        return Started(command=command, stacks=stacks)

    over = Starts(
        log=project.log / "events.jsonl",
        root=str(project.root),
        limits=Limits(suite=120.0, test=seconds),
        make=make,
        run=lambda command, tick, overdue: spawner.run(command, tick, overdue=overdue),
        told=lambda _: None,
        shown=str,
    ).run()
    return passes.finish("plain", over.completed, over.events, died=over.died)


def ends_as_told(
    ran: Ran, others: dict[str, str], *, lines: dict[str, int], died: str = "crash"
) -> None:
    """Hold a pass against what plain tools say of the suite without the tests that end it."""
    found = outcomes(ran)
    told = {test: seen.outcome for test, seen in found.items()}
    ended = {test for test, outcome in told.items() if outcome == "crashed"}
    assert {test: outcome for test, outcome in told.items() if test not in ended} == others
    assert {re.split(r"[:.]+", test)[-1] for test in ended} == set(lines)
    for test in ended:
        exc, line = found[test].exc, lines[re.split(r"[:.]+", test)[-1]]
        assert exc is not None
        assert exc.name == ("Timeout" if "hangs" in test or died == "hang" else "Crash")
        mine = [number for file, number, *_ in exc.frames if file.endswith("test_it.py")]
        assert mine == [line] * bool(line)
    assert ran.info.died == died


@pytest.mark.parametrize("minor", sorted(interpreters()))
def test_what_ends_a_process_costs_one_test_on_every_interpreter(
    project: Project, minor: str
) -> None:
    python = Path(interpreters()[minor])
    project.write(test_it=ENDING)
    plain = project.plain(python, "-m", "unittest", "-v", "test_it")
    others, _ = oracle.read_unittest(plain.output)
    assert len(others) == 6
    ran = passed_on(python, project, "django", "-m", "unittest", "test_it", seconds=2.0)
    assert ran.info.starts == 4
    ends_as_told(ran, others, lines=CULPRITS)


@pytest.mark.parametrize("name", ["3.6", "3.10-6", "3.13"])
def test_what_ends_a_process_costs_one_test_of_pytest(
    environment: Callable[[str], Path], project: Project, name: str
) -> None:
    python = environment(name)
    project.write(test_it=ENDING)
    others = oracle.run(python, project.root, ["pytest"]).outcomes
    assert len(others) == 6
    ran = passed_on(python, project, "pytest", seconds=4.0)
    assert ran.info.starts == 4
    ends_as_told(ran, others, lines=CULPRITS)


def test_what_ends_a_worker_of_xdist_costs_one_test(
    environment: Callable[[str], Path], project: Project
) -> None:
    """xdist replaces a worker that dies; djhop ends one that hangs, and starts anew."""
    python = environment("3.12")
    project.write(test_it=ENDING)
    others = oracle.run(python, project.root, ["pytest"]).outcomes
    ran = passed_on(python, project, "pytest", "-n", "2", seconds=8.0)
    told = {test: seen.outcome for test, seen in outcomes(ran).items()}
    assert {test for test, outcome in told.items() if outcome == "crashed"} == told.keys() - others
    assert {test: told[test] for test in others} == others
    (hangs,) = (seen for test, seen in outcomes(ran).items() if "hangs" in test)
    assert hangs.exc is not None
    assert [line for file, line, *_ in hangs.exc.frames if file.endswith("test_it.py")] == [8]
    assert hangs.exc.name == "Timeout"
    assert ran.info.died == "hang"


def test_what_ends_a_worker_of_django_costs_one_test(
    environment: Callable[[str], Path], project: Project
) -> None:
    """Django waits for ever for a worker that died: that costs the limit of a test."""
    python = environment("3.12")
    text = "import os, unittest\nclass {0}(unittest.TestCase):\n    def test_a(self): pass\n"
    dies = '    if "ENDING" in os.environ:\n        def test_b(self): os._exit(0)\n'
    last = "    def test_c(self): pass\n"
    project.write(manage=MANAGE, settings=SETTINGS, app__models="")
    project.write(test_one=text.format("One") + dies + last, test_two=text.format("Two") + last)
    others = oracle.run(python, project.root, ["manage.py", "test"]).outcomes
    assert len(others) == 4
    argv = ("manage.py", "test", "--parallel", "2")
    ran = passed_on(python, project, "django", *argv, seconds=4.0)
    ends_as_told(ran, others, lines={"test_b": 0}, died="hang")


SAYS = """
import logging, sys, unittest
class T(unittest.TestCase):
    def test_fails(self):
        print("walking")
        sys.stderr.write("falling\\n")
        logging.getLogger("trails").warning("lost")
        self.fail()
    def test_passes(self): print("nobody asks")
"""


@pytest.mark.parametrize(
    ("name", "argv", "said"),
    [
        ("3.6", (), ["walking", "falling", "lost"]),
        ("3.12", ("-n", "1"), ["walking", "falling", "lost"]),
        ("3.12", ("-s",), ["lost"]),
        ("3.10-6", (), ["walking", "falling", "lost"]),
    ],
)
def test_what_pytest_keeps_of_a_failing_test_is_told(
    environment: Callable[[str], Path], project: Project, name: str, argv: tuple[str, ...],
    said: list[str],
) -> None:  # fmt: skip
    project.write(test_says=SAYS)
    run = project.probed(environment(name), "plain", "pytest", *argv)
    printed = [event["printed"]["head"] for event in run.of("report") if "printed" in event]
    assert len(printed) == 1
    assert [
        word for word in ("walking", "falling", "lost", "nobody") if word in str(printed)
    ] == said


@pytest.mark.parametrize("name", ["3.6", "3.12"])
def test_what_djangos_runner_keeps_is_told_where_it_was_asked_to(
    environment: Callable[[str], Path], project: Project, name: str
) -> None:
    project.write(manage=MANAGE, settings=SETTINGS, app__tests=SAYS)
    (project.root / "app" / "__init__.py").touch()
    asked = ("--buffer",) if name == "3.12" else ()
    run = project.probed(environment(name), "plain", "django", "manage.py", "test", *asked)
    assert run.outcomes(), run.output
    printed = [event["printed"]["head"] for event in run.of("report") if "printed" in event]
    assert [
        text.startswith("--- stdout ---\nwalking\n--- stderr ---\nfalling") for text in printed
    ] == ([True] if asked else [])
    assert ("nobody asks" in run.output) == (not asked)
