"""What the result of a cell depends on, as one name: equal names, equal results."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from pathlib import Path

import msgspec

import djhop
from djhop.cells.job import Job
from djhop.durable import encode
from djhop.suites import cellenv
from djhop.workspace import content, outside

#: Where a result goes, and how it is had: nothing that a test can see.
_ELSEWHERE = {"folder": "", "recreate": False, "offline": False}


def unknowable(job: Job) -> str:
    """Say why what a cell depends on is not known; "" where it is.

    Services and commands of a matrix keep what no file shows; steps leave databases behind.
    """
    suite = job.target.suite
    if job.matrix.service or job.settings.before or job.settings.after:
        return "services or commands of the matrix have a part in it"
    if suite is None or suite.kind == "command":
        return "what the suite's command does is not known"
    if job.matrix.only != ("tests",) or job.install_only or job.taken:
        return "it is more than its tests"
    return ""


def name(job: Job, environ: Mapping[str, str]) -> str:
    """Stand for the tree, the lock, the interpreter, arguments, matrix, variables and djhop.

    `environ` is djhop's own environment.
    """
    matrix = msgspec.structs.replace(job.matrix, name="", description="", jobs=0, before_rev="")
    made = hashlib.sha256(encode(msgspec.structs.replace(job, matrix=matrix, **_ELSEWHERE)))
    made.update(content.digest(Path(job.target.root), job.files).encode())
    made.update(outside.contents(job.lock.pins).encode())
    made.update(encode(sorted(cellenv.passed(environ, job.matrix.pass_env).items())))
    made.update(f"{djhop.__version__} {_ourselves()}".encode())
    return made.hexdigest()[:32]


@functools.cache
def _ourselves() -> str:
    """Stand for the code of this djhop, which may be a checkout that somebody works on."""
    made = hashlib.sha256()
    for path in sorted(Path(djhop.__file__).parent.rglob("*.py")):
        sign = path.stat()
        made.update(f"{path.name} {sign.st_size} {sign.st_mtime_ns}\n".encode())
    return made.hexdigest()
