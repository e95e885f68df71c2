"""git in tests: no configuration of the machine's, and a name for commits."""

from __future__ import annotations

import subprocess
from pathlib import Path

ENV = {
    "PATH": "/usr/bin:/bin",
    "HOME": "/nonexistent",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    **{f"GIT_{who}_{what}": "x@y" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


def git(folder: Path, *argv: str) -> str:
    """Run git in `folder`; return what it printed."""
    done = subprocess.run(
        ["git", "-c", "protocol.file.allow=always", *argv],
        cwd=folder,
        env=ENV,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
