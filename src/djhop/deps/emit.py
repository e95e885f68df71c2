"""What `djhop deps` says, as the commands that carry it out; pure.

One command for each step of today, so that each can be its own commit; then one for the hop. Where
a step touches several lists of requirements, it has a command for each. What no command writes (a
requirement file, setup.py) stands in a comment above the command that only installs it.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from packaging.requirements import Requirement

from djhop.deps import argv
from djhop.deps.answers import Deps, HopDeps
from djhop.releases import series_of
from djhop.resolve.moves import Move
from djhop.target.target import Manager, Place, Section

#: Files that say what a package takes, rather than what is installed.
_METADATA = ("setup.py", "setup.cfg", "pyproject.toml")


def text(deps: Deps, tool: Manager) -> str:
    """The commands of every hop, each hop under a comment."""
    return "\n".join(_Script(deps, tool).lines()) + "\n"


class _Script:
    """The commands of one tool for one answer."""

    def __init__(self, deps: Deps, tool: Manager) -> None:
        self._deps, self._tool = deps, tool
        places = [place for some in deps.places.values() for place in some]
        #: Whether the tool has any of the project's requirements in its keeping.
        self._manages = any(argv.writes(tool, place.section) for place in places)
        self._by_hand = not all(argv.writes(tool, place.section) for place in places)

    def lines(self) -> Iterator[str]:
        deps = self._deps
        yield f"# {_line(deps.target)}: {deps.path[0]} to {deps.path[-1]}, with {self._tool}"
        yield "# resolved, not tested: run your tests after each command"
        yield from self._warnings()
        yield "set -e"
        if deps.first.moves:
            yield ""
            yield f"# first, from what the project has today to {deps.first.cell}"
            yield from self._moved(deps.first.moves)
        for hop in deps.hops:
            yield ""
            yield from self._hop(hop)

    def _warnings(self) -> Iterator[str]:
        tool = self._tool
        if self._manages and tool != "pipenv":
            yield f"# {tool} resolves for every Python of requires-python: raise that first"
        elif not self._manages and tool not in {"pip", self._deps.manager}:
            yield f"# nothing here is kept with {tool}: the commands install, and write nothing"
        if self._by_hand or not self._manages:
            yield "# write by hand what the comments say"
        if any(place.path.endswith(".in") for some in self._deps.places.values() for place in some):
            yield "# then compile: `uv pip compile X.in -o X.txt`, or `pip-compile X.in`"

    def _hop(self, hop: HopDeps) -> Iterator[str]:
        on_python = hop.axis == "python"
        moved, (old, new) = ("Python", hop.python) if on_python else ("Django", hop.django)
        yield f"# {moved} {old} to {new}"
        if hop.state in {"none", "unknown"}:
            yield f"# no command: {_line(hop.reason)}"
            return
        for blocker in hop.blockers:
            yield f"# blocked: {_line(blocker.sentence)}"
        for step in hop.order.today:
            yield from self._moved(step.moves)
        if on_python:
            yield argv.python(new, self._tool if self._manages else "pip")
        for line in self._moved(hop.order.hop):
            # What metadata forbids, no such command does.
            yield f"# refused: {line}" if hop.blockers and line[0] != "#" else line

    def _moved(self, moves: tuple[Move, ...]) -> Iterator[str]:
        """The commands of one change: for what the project names, and for what only locks name."""
        kept = [move for move in moves if move.after and "/" not in move.after]
        named = {"django", *self._deps.requirements}
        others = [move for move in kept if self._manages and move.package not in named]
        yield from self._own([move for move in kept if move not in others])
        if others:
            yield shlex.join(argv.raising(self._tool, others))

    def _own(self, moves: list[Move]) -> Iterator[str]:
        sections: dict[Section, list[Move]] = {}
        files: dict[str, list[Move]] = {}
        installed = []
        for move in moves:
            written, by_hand = self._places(move)
            for section in written:
                sections.setdefault(section, []).append(move)
            for place in by_hand:
                files.setdefault(_told(place), []).append(move)
            installed += [] if written else [move]
        for told, some in files.items():
            yield f"# {told} {_line(' '.join(map(self._pin, some)))}"
        yield from self._writing(sections)
        if installed:
            yield self._command(argv.installing(self._tool), installed)

    def _places(self, move: Move) -> tuple[list[Section], list[Place]]:
        """The sections that the tool writes a package into, and the places that it cannot write."""
        places = self._deps.places.get(move.package, ())
        if not places and self._manages:
            return [Section()], []
        by_hand = [place for place in places if not argv.writes(self._tool, place.section)]
        written = [place.section for place in places if place not in by_hand]
        return written, [place for place in by_hand if not self._allows(place, move)]

    def _allows(self, place: Place, move: Move) -> bool:
        """Whether what the project's metadata says of Django need not change."""
        said, where = self._deps.django_requirement, self._deps.django_requirement_place
        if move.package != "django" or not said or not _is_metadata(place):
            return False
        specifier = Requirement(said).specifier
        return where.startswith(place.path) and specifier.contains(str(move.after), True)

    def _writing(self, sections: dict[Section, list[Move]]) -> Iterator[str]:
        if len(sections) > 1 and not argv.locks_at_once(self._tool):
            yield "# one change: where the first is refused, write all of it, then lock"
        left = len(sections)
        for section, some in sections.items():
            left -= 1
            yield self._command(argv.adding(self._tool, section, only_writing=left > 0), some)

    def _command(self, command: tuple[str, ...], moves: list[Move]) -> str:
        return shlex.join((*command, *map(self._pin, moves)))

    def _pin(self, move: Move) -> str:
        name = self._deps.requirements.get(move.package, move.package)
        series = series_of(str(move.after)) if move.package == "django" else ""
        # Within a series a range would keep the patch that is there.
        if series and not str(move.before).startswith(f"{series}."):
            return f"{name}=={series}.*"
        return f"{name}=={move.after}"


def _is_metadata(place: Place) -> bool:
    return place.path.rpartition("/")[2] in _METADATA


def _told(place: Place) -> str:
    where = _line(f"{place.path} {place.part}")
    if _is_metadata(place):
        return f"{where} must allow:"
    return f"write into {where}:"


def _line(text: str) -> str:
    """What a comment may hold: one line, and nothing that steers a terminal."""
    return "".join(char if char.isprintable() else "?" for char in " ".join(text.split()))
