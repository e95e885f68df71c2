"""`cells/<cell>/requirements.txt` as other tools take it: pip and uv, hashes required."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import uv
from locking import ENVIRON, Lay, lock_of
from packaging.utils import canonicalize_name

from djhop.interpreters.interpreters import Interpreter
from djhop.resolve import resolve
from djhop.resolve.locks import Lock


def run(*argv: object) -> str:
    done = subprocess.run(
        [str(word) for word in argv], env=ENVIRON, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def venv(python: str, folder: Path, *options: str) -> Path:
    """A new environment; with "--seed" it has pip."""
    run(uv.find_uv_bin(), "venv", "-q", "-p", python, *options, folder)
    return folder / "bin" / "python"


def wanted(lock: Lock) -> set[str]:
    return {f"{name}=={version}" for name, version in lock.packages.items()}


def installed(python: Path) -> set[str]:
    listed = run(uv.find_uv_bin(), "pip", "list", "--format", "freeze", "-p", python)
    rows = (line.partition("==") for line in listed.split())
    return {f"{canonicalize_name(name)}=={version}" for name, _, version in rows}


@pytest.fixture
def written(tmp_path: Path) -> Path:
    return tmp_path / "requirements.txt"


@pytest.mark.slow
def test_pip_and_uv_take_the_file_as_it_is(
    lay: Lay, tmp_path: Path, written: Path, found: dict[str, Interpreter]
) -> None:
    shop = ("djangorestframework==3.12.4", "django-celery-beat==2.2.1", "Django[argon2]")
    lock = lock_of(lay(shop, "4.2", "3.10"))
    written.write_text(resolve.requirements_text(lock))
    path = found["3.10"].path
    by_pip = venv(path, tmp_path / "pip", "--seed")
    run(by_pip, "-m", "pip", "install", "-q", "-r", written, "--require-hashes")
    assert wanted(lock) <= installed(by_pip)
    by_uv = venv(path, tmp_path / "uv")
    run(uv.find_uv_bin(), "pip", "sync", "-q", "--require-hashes", "-p", by_uv, written)
    assert installed(by_uv) == wanted(lock)


@pytest.mark.slow
def test_a_forced_file_says_how(
    lay: Lay, tmp_path: Path, written: Path, found: dict[str, Interpreter]
) -> None:
    lock = lock_of(lay(("django-celery-beat==2.2.1",), "4.2", "3.10", policy="frozen"))
    written.write_text(resolve.requirements_text(lock))
    assert written.read_text().splitlines()[:2] == [
        "# Forced: django-celery-beat 2.2.1 requires django>=2.2,<4.0.",
        "# pip takes it with --no-deps, uv pip sync as it is.",
    ]
    python = venv(found["3.10"].path, tmp_path / "forced", "--seed")
    run(python, "-m", "pip", "install", "-q", "--no-deps", "-r", written, "--require-hashes")
    assert wanted(lock) <= installed(python)


@pytest.mark.slow
def test_a_folder_has_no_hash_and_the_file_says_so(
    lay: Lay, tmp_path: Path, written: Path, found: dict[str, Interpreter]
) -> None:
    package = tmp_path / "own"
    package.mkdir()
    (package / "setup.py").write_text(
        "from setuptools import setup; setup(name='own', version='1', py_modules=[])"
    )
    lock = lock_of(lay(("own @ ./own", "six==1.16.0"), "5.2", "3.12"))
    written.write_text(resolve.requirements_text(lock))
    assert written.read_text().startswith("# Without hashes, because these have none: own @ file:")
    python = venv(found["3.12"].path, tmp_path / "bare", "--seed")
    run(python, "-m", "pip", "install", "-q", "-r", written)
    assert {"own==1", "six==1.16.0"} <= installed(python)
