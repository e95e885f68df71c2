"""What one can do here: `nox -l` lists it. The cells of a matrix are sessions too."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import nox

import djhop.nox

nox.needs_version = ">=2025.5.1"
nox.options.sessions = ["lint", "types", "tests"]
nox.options.default_venv_backend = "uv"
nox.options.reuse_venv = "yes"

#: Every cell of this matrix is a session: nox -s "cell(py3.12-django5.2)" -- TARGET
djhop.nox.register(os.environ.get("DJHOP_MATRIX", "supported"), target="")


#: What developers and CI install, with hashes; `nox -s lock` renews it.
LOCK = "requirements/dev.txt"


def _install(session: nox.Session, *groups: str, editable: bool = True) -> None:
    project = ["--editable", "."] if editable else ["."]
    groups_of = (f"--group={group}" for group in groups)
    session.install("--constraint", LOCK, *project, *groups_of)


@nox.session
def tests(session: nox.Session) -> None:
    """Run every test: unit, and integration with real uv, interpreters and Django."""
    _install(session, "tests")
    # Three, as they wait a lot: for networks, for processes that are to end.
    session.run("pytest", "-n", "3", "--dist", "worksteal", *session.posargs)


@nox.session
def slow(session: nox.Session) -> None:
    """Run what `tests` leaves out, as it takes minutes."""
    _install(session, "tests", "cluster")
    session.run("pytest", "-n", "2", "--dist", "worksteal", "-m", "slow", *session.posargs)


@nox.session
def unit(session: nox.Session) -> None:
    """Run the tests that need no network and no other interpreter."""
    _install(session, "tests")
    session.run("pytest", "tests/unit", *session.posargs)


@nox.session
def chaos(session: nox.Session) -> None:
    """Kill, interrupt, wreck, crowd and deafen djhop; prints a figure of each; takes an hour."""
    _install(session, "tests")
    session.run("python", "-m", "chaos", *session.posargs, env={"PYTHONPATH": "tests"})


@nox.session
def fuzz(session: nox.Session) -> None:
    """Give every parser of what others wrote 100,000 inputs; DJHOP_FUZZ says another number."""
    _install(session, "tests")
    count = os.environ.get("DJHOP_FUZZ", "100000")
    env = {"DJHOP_FUZZ": count}
    session.run("pytest", "-n", "2", "tests/fuzz", *session.posargs, env=env)


@nox.session
def services(session: nox.Session) -> None:
    """Run cells against a real PostgreSQL; the tests say so and are skipped where there is none."""
    _install(session, "tests")
    session.run("pytest", "-n", "2", "tests/integration/test_services.py", *session.posargs)


@nox.session
def browser(session: nox.Session) -> None:
    """Look at the HTML report in a real browser: needs chromium; pictures in reports/browser."""
    _install(session, "tests", "browser")
    session.run("pytest", "-m", "slow or not slow", "tests/browser", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Run the demo and make the pictures of docs/pictures from it: needs chromium."""
    _install(session, "browser")
    out = session.create_tmp()
    argv = ("djhop", "run", "--matrix", "demo", "--quiet", "--out", out)
    session.run(*argv, success_codes=[1])
    session.run("python", "docs/pictures.py", str(Path(out, "latest")))


@nox.session
@nox.parametrize("resolution", ["lowest-direct", "highest"])
def dependencies(session: nox.Session, resolution: str) -> None:
    """Run the unit tests on the lowest and on the latest dependencies."""
    session.install(f"--resolution={resolution}", "--editable", ".", "--group=tests")
    session.run("pytest", "tests/unit", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and formatting with ruff."""
    _install(session, "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Check types with mypy, strictly."""
    _install(session, "types")
    session.run("mypy")


@nox.session(venv_backend="none")
def lock(session: nox.Session) -> None:
    """Renew requirements/dev.txt: the newest of what developers and CI install, with hashes."""
    session.run(
        *("uv", "pip", "compile", "--quiet", "--upgrade", "--universal", "--generate-hashes"),
        *("--python-version", "3.11", "--no-emit-index-url", "--no-annotate", "--no-header"),
        *("--group", "dev", "--group", "browser", "--group", "bench"),
        *("pyproject.toml", "--output-file", LOCK),
        external=True,
    )


@nox.session
def audit(session: nox.Session) -> None:
    """Ask PyPI whether a vulnerability is known of what an install or a developer gets today."""
    session.install("pip-audit>=2.7")
    lock = str(Path(session.create_tmp(), "lock.txt"))
    session.run(
        *("uv", "pip", "compile", "--quiet", "--generate-hashes", "--group", "dev"),
        *("pyproject.toml", "--output-file", lock),
        external=True,
    )
    # Strict: what PyPI does not answer for is not taken for sound.
    session.run("pip-audit", "--strict", "--disable-pip", "--require-hashes", "-r", lock)


@nox.session(venv_backend="none")
def build(session: nox.Session) -> None:
    """Build wheel and sdist twice, in two folders, and compare their bytes; they are in dist."""
    # When the commit was made: archives hold times.
    argv = ("git", "log", "-1", "--format=%ct")
    epoch = str(session.run(*argv, external=True, silent=True)).strip()
    digests = []
    for out in (Path("dist"), Path(session.create_tmp(), "again")):
        shutil.rmtree(out, ignore_errors=True)
        session.run(
            *("uv", "build", "--quiet", "--out-dir", str(out)),
            env={"SOURCE_DATE_EPOCH": epoch},
            external=True,
        )
        made = sorted(path for path in out.iterdir() if path.suffix in (".gz", ".whl"))
        digests.append({path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in made})
    if digests[0] != digests[1] or len(digests[0]) != 2:
        session.error(f"two builds differ: {digests}")
    session.log(f"two builds are the same: {digests[0]}")


@nox.session
def bench(session: nox.Session) -> None:
    """Time djhop against nox, tox and a bare loop on the same cells; `-- html`, `-- history`."""
    _install(session, "bench", editable=False)
    if session.posargs[:1] == ["history"]:
        session.run("python", "tests/bench/history.py", *session.posargs[1:])
        return
    if session.posargs[:1] == ["html"]:
        _install(session, "browser", editable=False)
        session.run("python", "tests/bench/html.py")
        return
    session.run("python", "tests/bench/bench.py", *session.posargs)


@nox.session
def demo(session: nox.Session) -> None:
    """Run the bundled demo; it ends with exit code 1, because the demo has real breaks."""
    _install(session)
    session.run("djhop", "run", "--matrix", "demo", *session.posargs, success_codes=[1])
