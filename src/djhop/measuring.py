"""`djhop ready --measure`: the suites of both cells of a hop in pairs, and nothing beside them."""

from __future__ import annotations

import contextlib
import datetime
import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from djhop import durable, jobs, landing, paired
from djhop.again import Again
from djhop.cells import cells
from djhop.compare.compare import HopResult
from djhop.environments.installer import CannotInstall
from djhop.errors import DjhopError, Interrupted
from djhop.matrix.plan import Hop
from djhop.paired import Paired
from djhop.results.passes import Ran, outcomes
from djhop.services.services import Services

#: Says one line of what is going on.
Say = Callable[[str], None]
OVER = "the time for it (--budget) was over"


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much is measured."""

    #: Pairs of each hop.
    pairs: int
    #: When all of it is over, as `time.monotonic` counts; None: when it is done.
    until: float | None = None


def measure(again: Again, hops: Iterable[HopResult], limits: Limits, say: Say) -> None:
    """Measure each of `hops` in turn, and keep what came of it in the run.

    A hop that breaks is left out: what ends early, or fails, is not the suite that ran before.

    Raises:
        Interrupted: djhop was asked to stop; the hops that were finished are kept.
    """
    planned = {one.id: one for one in again.run.plan.hops}
    for judged in hops:
        if judged.verdict in ("clean", "deprecated"):
            found = _Hop(again, planned[judged.id], limits, say).measured()
        else:
            reason = f"the hop is not clean ({judged.verdict}): two suites cannot be compared"
            found = paired.measured(judged.id, (), reason=reason)
        keep(again, found)


def keep(again: Again, found: Paired) -> None:
    """Write what was measured into `run.json`, in the place of what was known of that hop."""
    with landing.alone(again.folder):
        run = again.folder.read_run()
        others = tuple(one for one in run.performance if one.hop != found.hop)
        again.folder.write_run(msgspec.structs.replace(run, performance=(*others, found)))


class _Unusable(Exception):  # noqa: N818 - it is an answer
    """A run of the suite tells nothing about its time."""


class _Hop:
    """One hop being measured."""

    def __init__(self, again: Again, hop: Hop, limits: Limits, say: Say) -> None:
        self._again, self._hop, self._limits, self._say = again, hop, limits, say
        self._folder = again.folder.hop(hop.id) / "performance"
        self._number = 0
        #: Tests that ran on each side, first seen in the run that is not counted.
        self._tests: dict[str, frozenset[str]] = {}

    def measured(self) -> Paired:
        """Measure it; what stands in the way is its reason."""
        pairs: list[tuple[float, float]] = []
        shutil.rmtree(self._folder, ignore_errors=True)
        reason = ""
        services = self._again.services(self._folder / "services")
        try:
            with contextlib.ExitStack() as stack:
                before, after = (
                    stack.enter_context(self._room(name, services)) for name in ("before", "after")
                )
                reason = self._all(before, after, pairs)
                if gone := services.gone() if services else None:
                    raise gone
        except Interrupted:
            raise
        except (CannotInstall, _Unusable, DjhopError) as error:
            pairs, reason = [], str(error)
        finally:
            services.stop()
        if not reason:
            shutil.rmtree(self._folder, ignore_errors=True)  # logs of runs in which all is well
        uneven = len(self._tests.get("before", frozenset()) ^ self._tests.get("after", frozenset()))
        now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return paired.measured(self._hop.id, pairs, reason=reason, uneven=uneven, at=now)

    def _room(
        self, name: str, services: Services
    ) -> contextlib.AbstractContextManager[cells.Again]:
        cell = self._hop.before if name == "before" else self._hop.after
        folder = self._folder / name
        durable.make(folder)
        job = self._again.job(cell, Path(self._again.target.root), folder)
        if services:
            job = jobs.equipped(job, services)
        return cells.repeating(job, self._again.spawner, folder)

    def _all(
        self, before: cells.Again, after: cells.Again, pairs: list[tuple[float, float]]
    ) -> str:
        """Run both once, not counted, then in pairs; return why not all of it was done."""
        self._once("before", before)
        self._once("after", after)
        for number in range(self._limits.pairs):
            if self._limits.until is not None and time.monotonic() > self._limits.until:
                return OVER
            self._say(f"{self._hop.id}: pair {number + 1} of {self._limits.pairs}")
            # What drifts (heat, caches, other work) falls on both sides alike.
            if number % 2:
                later = self._once("after", after)
                pairs.append((self._once("before", before), later))
            else:
                earlier = self._once("before", before)
                pairs.append((earlier, self._once("after", after)))
        return ""

    def _once(self, side: str, room: cells.Again) -> float:
        """Run the suite of a side; return its seconds."""
        if self._again.spawner.interrupted:
            raise Interrupted("interrupted")
        self._number += 1
        ran = room.run(f"{self._number:03}", "", self._again.matrix.timeout)
        if ran.info.died == "interrupted":
            raise Interrupted("interrupted")
        if why := self._odd(side, ran):
            raise _Unusable(f"{why}; see {self._folder / side / ran.info.log}")
        return ran.info.seconds

    def _odd(self, side: str, ran: Ran) -> str:
        """Say why a run is not one of the whole suite; "" where it is."""
        if ran.info.died or not ran.events.began:
            return f"{side} the hop, the suite did not come to its end ({ran.info.died or 'died'})"
        tests = frozenset(name for name, one in outcomes(ran).items() if one.outcome != "not-run")
        if not tests:
            return f"{side} the hop, no test ran"
        if tests != self._tests.setdefault(side, tests):
            return f"{side} the hop, other tests ran than the first time"
        return ""
