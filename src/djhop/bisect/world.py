"""The machine and the index, as a bisect needs them: locks of points, lists of releases, runs."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from djhop import durable, jobs, locate, requests, scratch
from djhop.bisect import mixing, question
from djhop.bisect.points import Ends, Point
from djhop.bisect.question import Question
from djhop.bisect.trials import Ran
from djhop.cells import cells
from djhop.cells.job import Job
from djhop.environments.environments import uv_environ
from djhop.errors import InfraError, Interrupted
from djhop.interpreters.interpreters import Interpreter
from djhop.matrix.config import Matrix
from djhop.matrix.plan import Cell, settings_of
from djhop.processes.process import Spawner
from djhop.releases import series_of, version_key
from djhop.resolve import asking
from djhop.resolve.attempts import Attempt
from djhop.resolve.locks import Lock
from djhop.resolve.proofs import Failure
from djhop.resolve.request import Request, absolute
from djhop.services.services import Services
from djhop.target.target import Target

#: Releases that are listed at most: each takes a process.
MOST = 150
#: Releases that cannot be built are passed over this many times in a row.
UNBUILT = 5


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """What all runs of a bisect share."""

    target: Target
    matrix: Matrix
    found: dict[str, Interpreter]
    files: tuple[str, ...]
    #: What goes to the suite, beside the tests.
    args: tuple[str, ...] = ()
    offline: bool = False


class Machine:
    """A `trials.World` of real interpreters, a real index and real runs."""

    def __init__(
        self,
        stage: Stage,
        asked: Question,
        ends: Ends,
        locks: Mapping[str, Lock],
        *,
        folder: Path,
        spawner: Spawner,
        services: Services | None,
        say: Callable[[str], None],
        first: int = 1,
    ) -> None:
        self._stage, self._asked, self._ends = stage, asked, ends
        #: Locks of the ends by their points' keys: they are taken as the run had them.
        self._given = locks
        self._folder, self._spawner, self._services, self._say = folder, spawner, services, say
        #: Of the folders of runs; those of an earlier djhop stay.
        self._numbers = itertools.count(first)
        self._listed: dict[tuple[str, str, str, bool], str] = {}

    def lock(self, point: Point) -> Lock | str:
        """Resolve a point; the ends have their locks.

        Raises:
            InfraError: the index does not answer.
            Interrupted: djhop was asked to stop.
        """
        if point.key in self._given:
            return self._given[point.key]
        if point.python not in self._stage.found:
            return f"Python {point.python} is not on this machine"
        request = self._request(point)
        good, bad = self._ends.good.packages, self._ends.bad.packages
        answer: Lock | Failure | None = None
        for attempt in mixing.attempts(request, point, {**bad, **good}):
            answer = self._known(request, attempt, point) or self._ask(request, attempt)
            if isinstance(answer, Lock):
                return msgspec.structs.replace(answer, forced=bool(attempt.overrides))
            if answer.kind == "build":
                break
        assert isinstance(answer, Failure)
        return _unlocked(answer)

    def _known(self, request: Request, attempt: Attempt, point: Point) -> Lock | None:
        """What uv's cache gives, where all of it is of the ends or of the point itself."""
        ends = self._ends
        known = {*ends.good.packages.items(), *ends.bad.packages.items(), *point.packages.items()}
        with contextlib.suppress(InfraError):
            found = self._ask(request, attempt, offline=True)
            if isinstance(found, Lock) and found.packages.items() <= known:
                return found
        return None

    def _request(self, point: Point) -> Request:
        stage, cell = self._stage, _cell(point)
        interpreter = stage.found[point.python]
        made = requests.of(cell, stage.target, stage.matrix, interpreter)
        return absolute(made, stage.target.root)

    def _ask(self, request: Request, attempt: Attempt, *, offline: bool = False) -> Lock | Failure:
        """Let uv resolve one attempt in a scratch folder."""
        base = locate.cache() / "locks"
        durable.make(base)
        with scratch.folder(base, ".bisecting-") as inner:
            site = asking.Site(
                spawner=self._spawner,
                uv=locate.uv(),
                env=uv_environ(os.environ),
                cwd=self._stage.target.root,
                folder=inner,
                offline=offline or self._stage.offline,
                sleep=time.sleep,
            )
            return asking.ask(request, attempt, site)

    # Releases

    def pythons(self, low: str, high: str) -> tuple[str, ...]:
        """The Pythons of this machine between two, lowest first."""
        found = sorted(self._stage.found, key=version_key)
        ends = sorted((low, high), key=version_key)
        inside = [p for p in found if version_key(ends[0]) < version_key(p) < version_key(ends[1])]
        return tuple(inside if low == ends[0] else inside[::-1])

    def release(self, name: str, specifier: str, point: Point, *, lowest: bool = False) -> str:
        """The newest (or lowest) release that a specifier allows on the point's Python, or ""."""
        key = (name, specifier, point.python, lowest)
        if key not in self._listed:
            self._listed[key] = self._release(name, specifier, self._request(point), lowest=lowest)
        return self._listed[key]

    def _release(self, name: str, specifier: str, request: Request, *, lowest: bool) -> str:
        unbuilt = set[str]()
        for _ in range(UNBUILT):
            asked = mixing.listing(name, specifier, unbuilt, lowest=lowest)
            answer = self._ask(request, asked)
            if isinstance(answer, Lock):
                return answer.packages.get(name, "")
            if answer.kind != "build" or answer.package != name or not answer.version:
                return ""
            unbuilt.add(answer.version)
        return ""

    def releases(self, name: str, low: str, high: str, point: Point) -> tuple[str, ...]:
        """Every release between two that can be had on the point's Python, lowest first."""
        floor, found, at = low.partition("+")[0], list[str](), high.partition("+")[0]
        while len(found) < MOST and (at := self.release(name, f">{floor},<{at}", point)):
            found.append(at)
        return tuple(reversed(found))

    # Runs

    def run(self, point: Point, lock: Lock) -> Ran:
        """Run the tests at a point, in a fresh copy of the target.

        Raises:
            InfraError: the machine, the network or a service failed.
            Interrupted: djhop was asked to stop.
        """
        number = next(self._numbers)
        started = time.monotonic()
        job = self._job(point, lock, self._folder / f"{number:03}-{_slug(point)}")
        result = cells.run_cell(job, self._spawner, lambda *_: None)
        if self._spawner.interrupted or result.status == "interrupted":
            raise Interrupted("stopped while bisecting")
        if self._services and result.status != "passed" and (gone := self._services.gone()):
            raise gone
        said = question.answer(self._asked, result)
        self._say(
            f"{self._ends.label(point)}: {said.answer}{f' ({said.said})' if said.said else ''}"
        )
        return Ran(said=said, seconds=time.monotonic() - started)

    def _job(self, point: Point, lock: Lock, folder: Path) -> Job:
        stage, cell = self._stage, _cell(point)
        command = stage.target.suite is not None and stage.target.suite.kind == "command"
        job = Job(
            cell=cell,
            target=stage.target,
            matrix=stage.matrix,
            settings=settings_of(stage.matrix, cell),
            interpreter=stage.found[point.python],
            lock=lock,
            folder=str(folder),
            cache=str(locate.cache()),
            files=stage.files,
            # What a command of the target's own takes is not known: it is run as a whole.
            args=stage.args if command else (*stage.args, *self._asked.asked),
            offline=stage.offline,
        )
        return jobs.equipped(job, self._services) if self._services else job


def _cell(point: Point) -> Cell:
    return Cell(django=series_of(point.django), python=point.python)


def _slug(point: Point) -> str:
    return re.sub(r"[^\w.]+", "-", f"py{point.python}-django{point.django}")


def _unlocked(failure: Failure) -> str:
    """Why a point has no lock, in a sentence."""
    if failure.kind == "build":
        return f"{failure.package} {failure.version} cannot be built".replace("  ", " ")
    said = next((line.strip() for line in failure.text.splitlines() if "Because" in line), "")
    return f"these packages do not go together: {said or failure.text.strip()[:200]}"
