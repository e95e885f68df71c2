"""What is there, what is missing and what to type: interpreters, uv, caches, disk."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import djhop
from djhop import locate, releases, terminal
from djhop.caching.entries import entries
from djhop.environments import environments
from djhop.errors import ExitCode
from djhop.interpreters import interpreters, python_places
from djhop.processes.process import Command, Spawner
from djhop.reports import clean
from djhop.reports.cache import size
from djhop.reports.fold import columns, fold
from djhop.reports.json import indented

#: Below this many free bytes, a matrix of a dozen cells may not fit.
ENOUGH_DISK = 2 * 1024**3


def run(*, as_json: bool) -> int:
    """Print what was found; 0 when the matrix can run, 4 when something it needs is missing."""
    findings = examine()
    if as_json:
        terminal.show(indented(findings))
    else:
        terminal.show(clean.page("\n".join(lines(findings, terminal.width()))))
    return ExitCode.INCOMPLETE if findings["missing"] else ExitCode.OK


def examine() -> dict[str, Any]:
    """Look at the machine; plain data."""
    spawner = Spawner()
    found = locate.pythons(spawner)
    cache = locate.cache()
    used = sum(one.bytes for one in entries(cache))
    free = shutil.disk_usage(_existing(cache)).free
    uv = _version(spawner, (locate.uv(), "--version"))
    git = shutil.which("git")
    missing = []
    if not uv:
        missing.append("uv does not start: python -m pip install --force-reinstall uv")
    if not found:
        missing.append("no Python that uv can use: uv python install 3.12")
    if free < ENOUGH_DISK:
        missing.append(f"only {size(free)} free in {cache}: set DJHOP_CACHE to a larger disk")
    index = _index(spawner) if uv else "not asked"
    if index:
        missing.append(f"the package index does not answer: {index}")
    return {
        "djhop": djhop.__version__,
        "python": sys.version.split()[0],
        "uv": uv,
        "git": git or "",
        "cache": {"path": str(cache), "bytes": used, "free": free},
        "index": index or "answers",
        "interpreters": [
            {"python": i.python, "release": i.release, "path": i.path, "source": i.source}
            for _, i in sorted(found.items(), key=lambda item: releases.version_key(item[0]))
        ],
        "absent": _absent(set(found)),
        "missing": missing,
    }


def _absent(found: set[str]) -> dict[str, str]:
    """Pythons that a supported or recent Django series wants and this machine lacks."""
    wanted = {p for row in releases.load().released()[-8:] for p in row.python_minors}
    return {
        minor: interpreters.how_to_get(
            minor,
            uv_can_download=interpreters.uv_can_download(minor),
            system=python_places.this_system(),
        )
        for minor in sorted(wanted - found, key=releases.version_key)
    }


def lines(findings: dict[str, Any], width: int = 80) -> list[str]:
    """The findings as text, folded to `width` columns; paths stay whole."""
    cache = findings["cache"]
    text = [
        (0, f"djhop {findings['djhop']} on Python {findings['python']}"),
        (9, f"uv       {findings['uv'] or 'missing'}"),
        (9, f"git      {findings['git'] or 'missing: a target is then copied whole'}"),
        (9, f"index    {findings['index']}"),
        (
            9,
            f"cache    {cache['path']} ({size(cache['bytes'])} used, {size(cache['free'])} free)",
        ),
        (0, ""),
        (0, "Interpreters"),
    ]
    for row in findings["interpreters"]:
        where = f"{row['path']}  ({row['source']})"
        text.append((19, f"  {row['python']:6} {row['release']:9} {where}"))
    if findings["absent"]:
        text += [(0, ""), (0, "Not on this machine")]
        text += [(9, f"  {minor:6} {how}") for minor, how in findings["absent"].items()]
    text.append((0, ""))
    if findings["missing"]:
        text += [(0, "Missing"), *((4, f"  {line}") for line in findings["missing"])]
    else:
        text.append((0, "Nothing that a run needs is missing."))
    return [one for hang, line in text for one in fold(line, columns(width), hang) or [""]]


def _version(spawner: Spawner, argv: tuple[str, ...]) -> str:
    env = environments.uv_environ(os.environ)
    done = spawner.run(Command(argv=argv, cwd=tempfile.gettempdir(), env=env, timeout=20))
    return done.output.strip().splitlines()[0] if done.returncode == 0 else ""


def _index(spawner: Spawner) -> str:
    """Ask the index for one small package; return what went wrong, or ""."""
    with tempfile.TemporaryDirectory(prefix="djhop-doctor-") as folder:
        wanted = Path(folder) / "requirements.in"
        wanted.write_text("asgiref\n")
        argv = (
            *(locate.uv(), "pip", "compile", "--quiet", "--no-header", "--refresh"),
            *("--python", sys.executable, str(wanted)),
        )
        env = environments.uv_environ(os.environ)
        done = spawner.run(Command(argv=argv, cwd=folder, env=env, timeout=30))
    if done.returncode == 0:
        return ""
    said = done.output.strip().splitlines()
    return "no answer in 30 s" if done.timed_out else (said[-1].strip() if said else "no reason")


def _existing(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path
