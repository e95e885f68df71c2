"""A whole workflow as a text to commit: a job that plans, one for each cell, one that reports."""

from __future__ import annotations

import importlib.resources
import shlex
import zlib
from pathlib import PurePosixPath

import jinja2
import msgspec

from djhop.errors import UsageError


class System(msgspec.Struct, frozen=True, kw_only=True):
    """A CI system: its template under `data/ci`, and where its file usually is."""

    template: str
    path: str


SYSTEMS = {
    "github": System(template="github.yml", path=".github/workflows/djhop.yml"),
    "gitlab": System(template="gitlab.yml", path=".gitlab/djhop.yml"),
    "jenkins": System(template="jenkins.groovy", path="Jenkinsfile.djhop"),
    "buildkite": System(template="buildkite.yml", path=".buildkite/djhop.yml"),
}
#: Commits, so that nobody changes under our feet what a workflow runs; the release beside each is
#: for people, and for the tools that keep such pins up to date.
ACTIONS = {
    "checkout": "actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2",
    "python": "actions/setup-python@a26af69be951a213d495a4c3e4e4022e16d87065 # v5.6.0",
    "cache": "actions/cache@5a3ec84eff668545956fd18022155c47e93e2684 # v4.2.3",
    "restore": "actions/cache/restore@5a3ec84eff668545956fd18022155c47e93e2684 # v4.2.3",
    "save": "actions/cache/save@5a3ec84eff668545956fd18022155c47e93e2684 # v4.2.3",
    "upload": "actions/upload-artifact@ea165f8d65b6e75b540449e92b4886f43607fa02 # v4.6.2",
    "download": "actions/download-artifact@d3f86a106a0bac45b974a628896c90dbdf5c8093 # v4.3.0",
}
#: What a CI system, or Groovy, would read as its own.
_STEERING = ("${", "\n", "\r", "'''", "\\", "\0")


#: What holds where nobody says otherwise.
INSTALL, MINUTES = "djhop", 120


class Night(msgspec.Struct, frozen=True, kw_only=True):
    """What a workflow is to run."""

    #: What follows `djhop plan` and `djhop run`: the target, the matrix.
    words: tuple[str, ...]
    #: As `--shards` takes them.
    shards: tuple[str, ...] = ()
    #: Where the target is, from the root of the repository.
    target: str = "."
    #: What pip installs.
    install: str = INSTALL
    #: Minutes that the job of a cell may take.
    timeout: int = MINUTES


def render(system: str, night: Night) -> str:
    """Return the workflow for a system of `SYSTEMS`.

    Raises:
        UsageError: a word cannot be written into it.
    """
    known = SYSTEMS[system]
    for word in (*night.words, *night.shards, night.target, night.install):
        if any(mark in word for mark in _STEERING):
            raise UsageError(
                f"{word!r} cannot be written into a workflow",
                hint="name a file without backslashes, ${ and ends of lines",
            )
    shards = [word for one in night.shards for word in ("--shards", one)]
    baseline = (PurePosixPath(night.target) / "djhop-baseline.txt").as_posix()
    text = importlib.resources.files("djhop").joinpath(f"data/ci/{known.template}").read_text()
    return _ENVIRONMENT.from_string(text).render(
        **ACTIONS,
        written=shlex.join(["djhop", "ci", system, *night.words, *shards, *_asked(night)]),
        words="".join(f" {shlex.quote(word)}" for word in night.words),
        shards=f" {shlex.join(shards)}" if shards else "",
        target=shlex.quote(night.target),
        baseline=shlex.quote(baseline),
        install=shlex.quote(night.install),
        timeout=night.timeout,
        path=known.path,
        # Not the same for everybody: at full hours the machines of a CI are busy.
        minute=5 + zlib.crc32(shlex.join(night.words).encode()) % 50,
    )


def _asked(night: Night) -> list[str]:
    """What else somebody has to type to get the same workflow again."""
    made = ["--install", night.install] if night.install != INSTALL else []
    return [*made, "--timeout", str(night.timeout)] if night.timeout != MINUTES else made


_ENVIRONMENT = jinja2.Environment(
    variable_start_string="[[",
    variable_end_string="]]",
    block_start_string="[%",
    block_end_string="%]",
    comment_start_string="[##",
    comment_end_string="##]",
    undefined=jinja2.StrictUndefined,
    keep_trailing_newline=True,
    autoescape=False,  # no HTML; words are quoted for the shell
)
