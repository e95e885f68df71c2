"""What plain tools say about a suite: the answers djhop is held to.

Nothing here is shared with djhop. A suite is run by `python -m pytest` or by Django's own test
command, in an environment somebody else made, and its outcomes are read from pytest's JUnit XML
and short summary or from unittest's verbose output.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import urllib.request
import xml.etree.ElementTree as ET
import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import filelock
import uv

Mode = Literal["plain", "strict"]

STRICT = "error::DeprecationWarning"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Seen:
    """What one plain run said.

    `outcomes` has one entry per test: "passed", "failed", "error", "skipped", "xfailed" or
    "xpassed". `broken` holds what is not a test: modules that cannot be collected or imported, and
    classes whose set-up fails; id → message. A run that dies before any test has neither.
    """

    outcomes: dict[str, str]
    broken: dict[str, str]
    returncode: int
    output: str
    timed_out: bool = False

    @property
    def counts(self) -> dict[str, int]:
        """Tests per outcome, and "broken" where something was; only what is not zero."""
        counts = Counter(self.outcomes.values())
        if self.broken:
            counts["broken"] = len(self.broken)
        return dict(sorted(counts.items()))


def run(
    python: Path,
    workspace: Path,
    argv: Sequence[str],
    *,
    mode: Mode = "plain",
    settings: str = "",
    pythonpath: Iterable[str] = (),
    env: Mapping[str, str] | None = None,
    timeout: float = 300.0,
) -> Seen:
    """Run the suite `argv` (as in a matrix's `test`) once and say what came of each test.

    `argv` is ["pytest", …], ["manage.py", "test", …] or ["-m", "django", "test", …], and may begin
    with "python". `workspace`
    is used as it is: give each run a fresh copy (see `copy`), so that none finds what an earlier
    one compiled or deleted. A run that takes longer than `timeout` seconds is killed with all
    that it started.
    """
    argv = argv[1:] if argv[0] == "python" else argv
    # Read before the suite runs: it may delete them.
    files = frozenset(path.relative_to(workspace).as_posix() for path in workspace.rglob("*.py"))
    with tempfile.TemporaryDirectory(prefix="oracle-") as scratch:
        clean = clean_environ(python, Path(scratch), workspace, settings, pythonpath) | {
            **(env or {})
        }
        if argv[0] == "pytest":
            xml = Path(scratch, "junit.xml")
            command = [str(python), *pytest_argv(argv[1:], mode, xml)]
            code, out, err, late = spawn(command, workspace, clean, timeout)
            outcomes, broken = read_pytest(xml, out, files)
        else:
            command = [str(python), *django_argv(argv, mode)]
            code, out, err, late = spawn(command, workspace, clean, timeout)
            outcomes, broken = read_unittest(err)
    return Seen(outcomes=outcomes, broken=broken, returncode=code, output=out + err, timed_out=late)


def pytest_argv(args: Sequence[str], mode: Mode, xml: Path) -> list[str]:
    """Plain pytest, or strict pytest that goes on after a module that cannot be collected."""
    strict = ["-W", STRICT] if mode == "strict" else []
    report = ["-rA", "--continue-on-collection-errors", f"--junitxml={xml}"]
    return ["-m", "pytest", *args, *strict, *report]


def django_argv(argv: Sequence[str], mode: Mode) -> list[str]:
    """Django's own test command, verbose; strictly: the whole process under the filter."""
    strict = ["-W", STRICT] if mode == "strict" else []
    return [*strict, *argv, "-v", "2"]


def clean_environ(
    python: Path, scratch: Path, workspace: Path, settings: str, pythonpath: Iterable[str]
) -> dict[str, str]:
    """An environment that inherits nothing but where the system's programs are."""
    home, tmp = scratch / "home", scratch / "tmp"
    home.mkdir()
    tmp.mkdir()
    clean = {
        "PATH": os.pathsep.join([str(python.parent), os.defpath]),
        "HOME": str(home),
        "TMPDIR": str(tmp),
        "LANG": "C.UTF-8",
        # Python 3.6 would otherwise write ASCII only.
        "PYTHONIOENCODING": "utf-8:backslashreplace",
    }
    if settings:
        clean["DJANGO_SETTINGS_MODULE"] = settings
    if paths := [str(workspace / path) for path in pythonpath]:
        clean["PYTHONPATH"] = os.pathsep.join(paths)
    return clean


def spawn(
    command: list[str], cwd: Path, env: dict[str, str], timeout: float
) -> tuple[int, str, str, bool]:
    """Run to the end or the timeout, and leave nothing of its process group behind.

    Output goes to files: a pipe would stay open as long as any process left behind holds it.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
        try:
            process.wait(timeout)
            late = False
        except subprocess.TimeoutExpired:
            late = True
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        texts = []
        for stream in (out, err):
            stream.seek(0)
            texts.append(stream.read().decode("utf-8", "replace"))
    return process.returncode, texts[0], texts[1], late


# What pytest writes.

#: The more a test has to say, the later it stands: a test reported twice keeps the last of these.
GRAVITY = ("passed", "skipped", "xfailed", "xpassed", "error", "failed")


def read_pytest(
    xml: Path, out: str, files: frozenset[str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Outcomes from JUnit XML; what XML does not tell (XPASS) from the `-rA` summary."""
    outcomes: dict[str, str] = {}
    broken: dict[str, str] = {}
    if not xml.exists():
        return outcomes, broken
    for case in ET.parse(xml).getroot().iter("testcase"):
        test = node_id(case.get("classname", ""), case.get("name", ""), files)
        outcome, message = case_outcome(case)
        if message.startswith(("collection failure", "collection skipped")):
            if outcome != "skipped":
                broken[test] = message
            continue
        outcomes[test] = max(outcome, outcomes.get(test, "passed"), key=GRAVITY.index)
    for line in out.splitlines():
        word, _, rest = line.partition(" ")
        test = rest.partition(" - ")[0].strip()
        if word == "XPASS" and outcomes.get(test) == "passed":
            outcomes[test] = "xpassed"
    return outcomes, broken


def case_outcome(case: ET.Element) -> tuple[str, str]:
    """The outcome of one <testcase>, and its message."""
    for tag, outcome in (("failure", "failed"), ("error", "error"), ("skipped", "skipped")):
        if (found := case.find(tag)) is not None:
            message = found.get("message", "")
            expected = tag == "skipped" and found.get("type") == "pytest.xfail"
            return ("xfailed" if expected else outcome), message
    return "passed", ""


def node_id(classname: str, name: str, files: frozenset[str]) -> str:
    """Back from JUnit's dotted class name to pytest's node id, by the files that exist."""
    parts = classname.split(".") if classname else []
    for cut in range(len(parts), 0, -1):
        path = "/".join(parts[:cut]) + ".py"
        if path in files:
            return "::".join([path, *parts[cut:], name])
    module = name.replace(".", "/") + ".py"
    if not classname and module in files:
        return module
    return "::".join([*parts, name])


# What unittest writes.

START = re.compile(r"^(?P<method>\w+) \((?P<owner>[\w.]+)\)(?P<rest>.*)$")
OUTCOME = re.compile(
    r"(?:^|\s)"
    r"(?P<word>ok|FAIL|ERROR|skipped (['\"]).*\2|expected failure|unexpected success)$"
)
SECTION = re.compile(
    r"^(?P<word>ERROR|FAIL|UNEXPECTED SUCCESS): (?P<method>\S+) \((?P<owner>[\w.]+)\)"
)
WORDS = {
    "ok": "passed",
    "FAIL": "failed",
    "ERROR": "error",
    "skipped": "skipped",
    "expected failure": "xfailed",
    "unexpected success": "xpassed",
    "UNEXPECTED SUCCESS": "xpassed",
}


def read_unittest(err: str) -> tuple[dict[str, str], dict[str, str]]:
    """Outcomes from `-v 2`; a test whose subtests fail has no word of its own but a section.

    "error" is unittest's ERROR, any exception but AssertionError, wherever it was raised; pytest
    keeps that word for what is raised outside the test's own call.
    """
    outcomes: dict[str, str] = {}
    broken: dict[str, str] = {}
    body, _, sections = err.partition("\n" + "=" * 70 + "\n")
    current = ""
    for line in body.splitlines():
        if (start := START.match(line)) and not line.startswith(" "):
            current = unittest_id(start["method"], start["owner"])
        if current and (end := OUTCOME.search(line)):
            word = end["word"].split(" '")[0].split(' "')[0]
            if not is_broken(current):
                outcomes[current] = WORDS[word]
            current = ""
    before = "=" * 70
    for line in sections.splitlines():
        # A failure's message may look like a section's title, but for the rule above it.
        before, above = line, before
        if above == "=" * 70 and (found := SECTION.match(line)):
            test = unittest_id(found["method"], found["owner"])
            if is_broken(test):
                broken[test.partition(" ")[2]] = found["word"]
            else:
                outcomes[test] = WORDS[found["word"]]
    return outcomes, broken


def is_broken(test: str) -> bool:
    """Whether `unittest_id` gave the id of a class or a module."""
    return " " in test


def unittest_id(method: str, owner: str) -> str:
    """A dotted id; the same from every Python, though 3.11 and later repeat the method.

    For what is no test it is its kind, a space, and the class or the module.
    """
    if method in ("setUpClass", "tearDownClass", "setUpModule", "tearDownModule"):
        return f"{method} {owner}"
    if owner.startswith("unittest.loader."):
        return f"import {method}"
    return owner if owner.rpartition(".")[2] == method else f"{owner}.{method}"


# Where targets and interpreters come from.


@functools.cache
def interpreters() -> dict[str, Path]:
    """The CPythons of this machine, minor → executable: what uv knows, and pyenv's."""
    found: dict[str, Path] = {}
    listing = subprocess.run(
        [uv.find_uv_bin(), "python", "list", "--only-installed", "--output-format", "json"],
        capture_output=True,
        text=True,
        check=False,
        env={k: v for k, v in os.environ.items() if not k.startswith("UV_")},
    )
    for row in json.loads(listing.stdout or "[]"):
        if row["implementation"] == "cpython" and row.get("variant", "default") == "default":
            minor = f"{row['version_parts']['major']}.{row['version_parts']['minor']}"
            found.setdefault(minor, Path(row["path"]))
    pyenv = Path(os.environ.get("PYENV_ROOT", str(Path.home() / ".pyenv")))
    for path in sorted(pyenv.glob("versions/[0-9]*/bin/python")):
        minor = ".".join(path.parts[-3].split(".")[:2])
        found.setdefault(minor, path)
    return found


def environment(python: str, packages: Iterable[str], folder: Path) -> Path:
    """Make an environment at `folder` with uv, unless it is there, and return its python."""
    executable = folder / "bin" / "python"
    with filelock.FileLock(f"{folder}.lock"):
        if (folder / "made").exists():
            return executable
        base = interpreters()[python]
        quiet = [uv.find_uv_bin(), "--quiet"]
        subprocess.run([*quiet, "venv", "--clear", "-p", str(base), str(folder)], check=True)
        subprocess.run(
            [*quiet, "pip", "install", "-p", str(executable), *packages],
            check=True,
        )
        (folder / "made").touch()
    return executable


def copy(source: Path, folder: Path) -> Path:
    """A fresh copy of `source` at `folder`, without what Python left in it."""
    shutil.rmtree(folder, ignore_errors=True)
    ignore = shutil.ignore_patterns("__pycache__", ".pytest_cache")
    return Path(shutil.copytree(source, folder, symlinks=True, ignore=ignore))


def wheel(module: Path, folder: Path) -> Path:
    """Make a wheel, version 1.0, of one module: a third-party package that no index has."""
    name = module.stem
    info = f"{name}-1.0.dist-info"
    path = folder / f"{name}-1.0-py3-none-any.whl"
    files = {
        f"{name}.py": module.read_text(),
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{file},,\n" for file in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(file, text)
    return path


def fetch_sdist(name: str, version: str, folder: Path) -> Path:
    """Unpack the source distribution of `name` at `version` under `folder`; return its root.

    Nothing of it is run: uv writes a lock file that says where the machine's index keeps the
    archive and its hash, and the archive is read from there. It asks for a package that also has a
    wheel, since uv would build an sdist to learn the metadata of one that has not.
    """
    root = folder / f"{name}-{version}"
    folder.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(f"{root}.lock"), tempfile.TemporaryDirectory(dir=folder) as scratch:
        if root.is_dir():
            return root
        requirement, lock = Path(scratch, "requirements.in"), Path(scratch, "pylock.toml")
        requirement.write_text(f"{name}=={version}\n")
        compile_lock = [uv.find_uv_bin(), "--quiet", "pip", "compile", "--no-deps"]
        command = [*compile_lock, "--format", "pylock.toml", "-o", str(lock), str(requirement)]
        # The first refuses a package without a wheel; the second, which builds none, has the sdist.
        subprocess.run([*command, "--no-build"], check=True, stdout=subprocess.DEVNULL)
        lock.unlink()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        sdist = tomllib.loads(lock.read_text())["packages"][0]["sdist"]
        archive = Path(scratch, "sdist.tar.gz")
        with urllib.request.urlopen(sdist["url"], timeout=120) as answer:
            archive.write_bytes(answer.read())
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        if digest != sdist["hashes"]["sha256"]:
            raise ValueError(f"the archive of {name} {version} is not the one the index names")
        with tarfile.open(archive) as tar:
            tar.extractall(Path(scratch, "tree"), filter="data")
        (unpacked,) = Path(scratch, "tree").iterdir()
        unpacked.rename(root)
    return root


# What the targets of tests/targets say of themselves.


@dataclasses.dataclass(frozen=True, kw_only=True)
class Expected:
    """What a target's expected.toml says of one suite; tests/targets/README.md explains the keys.

    The columns of every table go with `cells`.
    """

    target: Path
    kind: Literal["pytest", "django"]
    test: tuple[str, ...]
    cells: tuple[str, ...]
    #: djhop's status per cell, and its verdict on the hop; "" where the target does not say.
    status: tuple[str, ...]
    verdict: str
    #: The test in which the process ends, per cell; "" where it ends by itself.
    ends_in: tuple[str, ...]
    timeout: float
    #: What the suite exits with plainly, per cell; () where the tests say it all.
    exits: tuple[int, ...]
    #: test → change djhop reports ("broke", "vanished" …), for those that the target names.
    changes: dict[str, str]
    _table: dict[str, dict[str, dict[str, list[str]]]]

    @property
    def id(self) -> str:
        """The suite's name: "kinds-pytest"."""
        return f"{self.target.name}-{self.kind}"

    def outcomes(self, cell: str, mode: Mode) -> dict[str, str]:
        """What plain tools say of each test: test id → outcome."""
        return self._column("tests", cell, mode)

    def broken(self, cell: str, mode: Mode) -> frozenset[str]:
        """The modules and classes that break in plain tools."""
        return frozenset(self._column("broken", cell, mode))

    @property
    def tests(self) -> tuple[str, ...]:
        """Every test that it has in either cell."""
        return tuple(self._table.get("tests", {}))

    def found(self, cell: str) -> dict[str, str]:
        """The strict outcomes that djhop finds, where it must find other ones than plain tools.

        "unproven": none, because the filter was not in force in that test.
        """
        return self._column("tests", cell, "found")

    def _column(self, table: str, cell: str, key: str) -> dict[str, str]:
        n = self.cells.index(cell)
        rows = {name: row[key][n] for name, row in self._table.get(table, {}).items() if key in row}
        return {name: value for name, value in rows.items() if value not in ("absent", "")}


def expected(folder: Path) -> tuple[Expected, ...]:
    """Read `folder`/expected.toml: one `Expected` for each suite that it speaks of."""
    table = tomllib.loads((folder / "expected.toml").read_text())
    return tuple(
        Expected(
            target=folder,
            kind=kind,
            test=tuple(table[kind]["test"]),
            cells=tuple(table[kind]["cells"]),
            status=tuple(table[kind]["status"]),
            verdict=table[kind]["verdict"],
            ends_in=tuple(table[kind].get("ends-in", [""] * len(table[kind]["cells"]))),
            timeout=table[kind].get("timeout", 120.0),
            exits=tuple(table[kind].get("exits", ())),
            changes={
                test: row["change"]
                for test, row in table[kind].get("tests", {}).items()
                if "change" in row
            },
            _table=table[kind],
        )
        for kind in ("pytest", "django")
        if kind in table
    )


def check(names: Sequence[str], cache: Path) -> int:
    """Run targets with plain tools and print where their expected.toml is wrong; count that."""
    wrong = 0
    targets = Path(__file__).parent / "targets"
    for folder in sorted(path.parent for path in targets.glob("*/expected.toml")):
        if names and folder.name not in names:
            continue
        wheels = [str(wheel(module, cache)) for module in folder.glob("packages/*.py")]
        pins = [
            line
            for line in (folder / "requirements.txt").read_text().split()
            if not line.startswith("Django")
        ]
        for suite in expected(folder):
            for cell in suite.cells:
                minor, series = cell.removeprefix("py").split("-django")
                made = cache / (cell + "-with-wheels" * bool(wheels))
                python = environment(minor, [f"Django=={series}.*", *pins, *wheels], made)
                for mode in ("plain", "strict"):
                    tree = copy(folder, cache / "workspaces" / folder.name)
                    seen = run(python, tree, suite.test, mode=mode, timeout=suite.timeout)
                    right = (suite.outcomes(cell, mode), suite.broken(cell, mode))
                    ok = (seen.outcomes, frozenset(seen.broken)) == right
                    if suite.exits and mode == "plain":
                        ok = ok and seen.returncode == suite.exits[suite.cells.index(cell)]
                    wrong += not ok
                    say(f"{'ok   ' if ok else 'WRONG'} {suite.id} {cell} {mode}")
                    for test in sorted({*seen.outcomes, *right[0]}) if not ok else ():
                        stated, found = (
                            right[0].get(test, "absent"),
                            seen.outcomes.get(test, "absent"),
                        )
                        if stated != found:
                            say(f"      {test}: stated {stated}, is {found}")
    return wrong


def say(line: str) -> None:
    """Print one line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="targets-") as folder:
        sys.exit(check(sys.argv[1:], Path(folder)) > 0)
