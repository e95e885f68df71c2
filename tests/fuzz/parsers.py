"""Every parser of what others wrote: a name, the files it is given, and how it is called."""

from __future__ import annotations

import dataclasses
import functools
import sqlite3
import sys
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import coverage
import msgspec

sys.path.insert(0, str(Path(__file__).parents[1]))

import many
import seeds as s

from djhop.baseline import lines
from djhop.matrix import config, flaky, plan
from djhop.matrix.config import Matrix
from djhop.processes.process import Completed
from djhop.releases import load as releases
from djhop.reports import outputs
from djhop.reports.html import page
from djhop.resolve import locks, proofs
from djhop.results import (
    deprecations,
    events,
    foreign,
    junit,
    measure,
    passes,
    progress,
    results,
    stacks,
)
from djhop.results.outcomes import Failures
from djhop.results.paths import Paths
from djhop.results.results import CellResult
from djhop.steps import reading
from djhop.store import store
from djhop.target import (
    current,
    evidence,
    lockfiles,
    noxfile,
    pytest_config,
    requirement_files,
    settings_modules,
    target,
    toxfile,
)
from djhop.target.collecting import read_metadata
from djhop.target.metadata import Metadata

DONE = Completed(argv=("make", "test"), returncode=1, seconds=1.0)
FORMS = (*outputs.FORMS, *outputs.JUNIT)
OF_CELLS = ("jsonl", "ctrf", *outputs.JUNIT)
CELL = plan.Cell(django="5.2", python="3.12")
PATHS = Paths(root="/cell", site_packages=("/sp",))


@dataclasses.dataclass(frozen=True)
class Parser:
    """What is tried: `call` is given the folder in which `file` has been written."""

    name: str
    file: str
    seeds: Sequence[bytes]
    call: Callable[[Path], object]
    #: What lies beside the file.
    beside: Callable[[Path], object] = lambda folder: None
    #: What is called with every tenth input too, as it takes ten times as long.
    whole: Callable[[Path], object] | None = None


def _target(folder: Path) -> None:
    target.look(folder, Matrix())


def _project(folder: Path) -> None:
    """A small project, in which one file is replaced."""
    for name, data in {
        "manage.py": s.MANAGE,
        "shop/__init__.py": b"",
        "shop/settings.py": s.SETTINGS,
        "requirements.txt": b"Django>=3.2\n",
        "constraints.txt": b"asgiref<4\n",
        "inner.txt": b"celery\n",
        "requirements.in": b"django\n",
        "tests/test_a.py": b"import django\n",
        "local/setup.py": b"from setuptools import setup\nsetup(name='local')\n",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def _matrix(folder: Path) -> None:
    config.load(str(folder / "m.toml"))


def _own_matrix(folder: Path) -> None:
    if table := config.of_target(folder):
        config.combine(table)


def _flaky(folder: Path) -> None:
    for known in flaky.read(folder, "flaky.toml"):
        known.covers("tests/test_a.py::test_[x]y", "py3.12-django5.2")


def _baseline(folder: Path) -> None:
    try:
        text = (folder / "baseline.txt").read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        return
    listed = lines.read(text, "baseline.txt")
    assert lines.read(listed.text, "again").lines == listed.lines


def _lock(name: str) -> Callable[[Path], object]:
    return lambda folder: lockfiles.read(folder, name)


def _finished(found: events.PassEvents) -> None:
    ran = passes.finish("plain", DONE, found)
    passes.next_pass([ran])
    built = results.build(CELL, [ran], paths=PATHS, releases=releases())
    msgspec.json.decode(msgspec.json.encode(built), type=CellResult)
    deprecations.collect([found], PATHS, releases())


def _events(folder: Path) -> None:
    log = folder / "events.jsonl"
    tally = progress.Tally(log)
    tally.look(1.0)
    passes.done(events.read(log))
    _finished(events.read(log))


def _junit(folder: Path) -> None:
    junit.count(folder / "junit.xml")
    _finished(foreign.read(folder, "*.xml", "plain", DONE))


def _step(folder: Path) -> None:
    sources = reading.Sources(django="5.2", tree=Path("/cell"), site_packages=Path("/sp"))
    for step in ("checks", "migrations", "database", "upgrade", "settings", "old-code"):
        reading.read(step, folder / "step.json", DONE, Failures(PATHS), sources)  # type: ignore[arg-type]


def _running(folder: Path) -> None:
    late = msgspec.structs.replace(DONE, timed_out=True)
    sources = reading.Sources(django="5.2", tree=Path("/cell"), site_packages=Path("/sp"))
    reading.read("checks", folder / "step.json", late, Failures(PATHS), sources)


def _report(folder: Path, written: Path) -> None:
    """What is read of a run, and a report of it."""
    found = store.find("latest", folder)
    run = found.load()
    # One form each time, or it would take a day.
    forms = OF_CELLS if written.name == "cell.json" else FORMS
    form = forms[zlib.crc32(written.read_bytes()) % len(forms)]
    for _ in outputs.pieces(form, run, found.results(), found.reruns()):
        pass


def _html(folder: Path) -> None:
    found = store.find("latest", folder)
    page.render(found.load(), found)


@functools.cache
def _kinds() -> tuple[bytes, bytes, dict[str, bytes]]:
    run, cells = many.every_kind()
    unfinished = msgspec.structs.replace(run, complete=False, hops=(), cells=())
    encoded = {name: msgspec.json.encode(cell) for name, cell in cells.items()}
    return msgspec.json.encode(run), msgspec.json.encode(unfinished), encoded


def _run_folder(folder: Path) -> None:
    run, _, cells = _kinds()
    for name, data in cells.items():
        (folder / "one/cells" / name).mkdir(parents=True, exist_ok=True)
        (folder / "one/cells" / name / "cell.json").write_bytes(data)
    (folder / "one/run.json").write_bytes(run)


def _coverage_data() -> bytes:
    """A data file, of which no two machines make the same: so here, and not kept."""
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        file = Path(name, "coverage")
        data = coverage.CoverageData(basename=str(file))
        data.set_context("a test")
        data.add_lines({"/cell/a.py": [1, 2, 3], "/cell/b.py": [9]})
        data.write()
        data.close()
        with sqlite3.connect(file) as connection:
            connection.execute("pragma page_size=512")
            connection.execute("vacuum")
        connection.close()
        return file.read_bytes()


def _coverage(folder: Path) -> None:
    measure.executed(folder / "coverage")
    measure.per_cent([folder / "coverage"], Path("/cell"), measure.Options())


def _combined(folder: Path) -> None:
    measure.combine({folder / "coverage": Path("/cell")}, Path("/home/me/shop"), folder / "out")


def _stacks(folder: Path) -> None:
    text = (folder / "stacks").read_bytes().decode("utf-8", "replace")
    stacks.frames(text, "tests/test_a.py::test_hang[x]", "/cell")


def _text(folder: Path) -> str:
    return (folder / "text").read_bytes().decode("utf-8", "replace")


def _in_project(name: str, call: Callable[[Path], object], *texts: bytes) -> Parser:
    return Parser(name, name, texts, call, _project, _target)


def _metadata(folder: Path) -> None:
    read_metadata(folder)
    pytest_config.read(folder)


def _tox(folder: Path) -> None:
    list(evidence.written(folder, toxfile.read(folder)))
    pytest_config.read(folder)


def _nox(folder: Path) -> None:
    list(evidence.written(folder, noxfile.read(folder)))


def _requirements(folder: Path) -> None:
    requirement_files.read(folder / "requirements.txt", folder)


def _pythons(folder: Path) -> None:
    current.pythons(folder, Metadata(), ["Dockerfile"] if (folder / "Dockerfile").exists() else [])


PARSERS: tuple[Parser, ...] = (
    Parser("matrix file", "m.toml", (s.MATRIX, *(p.read_bytes() for p in sorted(s.MATRICES.glob("*.toml")))), _matrix),
    Parser("matrix of a target", "djhop.toml", (s.MATRIX,), _own_matrix),
    Parser("matrix in pyproject.toml", "pyproject.toml", (s.PYPROJECT, s.OWN_MATRIX), _own_matrix),
    Parser("known flaky tests", "flaky.toml", (s.FLAKY,), _flaky),
    Parser("baseline", "baseline.txt", (s.BASELINE,), _baseline),
    _in_project("requirements.txt", _requirements, s.REQUIREMENTS, s.COMPILED),
    _in_project("pyproject.toml", _metadata, s.PYPROJECT, s.POETRY, s.PDM),
    _in_project("setup.cfg", _metadata, s.SETUP_CFG),
    _in_project("setup.py", _metadata, s.SETUP_PY),
    _in_project("tox.ini", _tox, s.TOX),
    _in_project("noxfile.py", _nox, s.NOXFILE),
    _in_project("Pipfile", _metadata, s.PIPFILE),
    _in_project("pytest.ini", pytest_config.read, s.PYTEST_INI),
    _in_project(".travis.yml", _tox, s.SCRIPT),
    _in_project("Dockerfile", _pythons, s.DOCKERFILE),
    _in_project(".python-version", _pythons, s.PYTHON_VERSION),
    _in_project("manage.py", lambda folder: settings_modules.set_by(folder, "manage.py"), s.MANAGE, s.SETUP_PY),
    _in_project("shop/settings.py", lambda folder: current.from_settings(folder, ["shop/settings.py"]), s.SETTINGS),
    _in_project("uv.lock", _lock("uv.lock"), s.UV_LOCK),
    Parser("poetry.lock", "poetry.lock", (s.POETRY_LOCK,), _lock("poetry.lock")),
    Parser("pdm.lock", "pdm.lock", (s.PDM_LOCK,), _lock("pdm.lock")),
    Parser("Pipfile.lock", "Pipfile.lock", (s.PIPFILE_LOCK,), _lock("Pipfile.lock")),
    Parser("pylock.toml", "pylock.toml", (s.PYLOCK,), _lock("pylock.toml")),
    Parser("coverage settings", ".coveragerc", (s.COVERAGERC,), measure.options),
    Parser("coverage settings in pyproject.toml", "pyproject.toml", (s.PYPROJECT,), measure.options),
    Parser("coverage data", "coverage", (_coverage_data(),), _coverage),
    Parser("coverage data, combined", "coverage", (_coverage_data(),), _combined),
    Parser("event log", "events.jsonl", (s.EVENTS,), _events),
    Parser("JUnit XML", "junit.xml", (s.JUNIT,), _junit),
    Parser("result of a step", "step.json", (s.STEP,), _step),
    Parser("what a step was at", "step.json.running", (b'{"running": "shop.0001"}',), _running),
    Parser("stacks", "stacks", (s.STACKS,), _stacks),
    Parser("run.json", "one/run.json", _kinds()[:2], lambda folder: _report(folder, folder / "one/run.json"), _run_folder),
    Parser("cell.json", "one/cells/py3.10-django3.2/cell.json", tuple(_kinds()[2].values()), lambda folder: _report(folder, folder / "one/cells/py3.10-django3.2/cell.json"), _run_folder),
    Parser("run.json for the HTML report", "one/run.json", _kinds()[:2], _html, _run_folder),
    Parser("uv's lock", "text", (s.UV_LOCKED,), lambda folder: locks.parse(_text(folder))),
    Parser("uv's refusals", "text", s.UV_REFUSALS, lambda folder: proofs.read(_text(folder))),
)  # fmt: skip
