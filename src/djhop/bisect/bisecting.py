"""One bisect, from the choice of what to blame to the record on disk."""

from __future__ import annotations

import dataclasses
import hashlib
import shlex
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from djhop.bisect import choosing, paragraph, question
from djhop.bisect.choosing import Chosen, Side
from djhop.bisect.points import Ends, Point
from djhop.bisect.tracing import Tracer
from djhop.bisect.trials import OutOfTime, Trials
from djhop.bisect.world import Machine, Stage
from djhop.errors import DjhopError, InfraError, Interrupted
from djhop.processes.process import Spawner
from djhop.releases import Releases
from djhop.services.services import Services
from djhop.store import blame as records
from djhop.store.blame import Blame, Tried


@dataclasses.dataclass(frozen=True, kw_only=True)
class Site:
    """Where and how bisects are carried out."""

    stage: Stage
    spawner: Spawner
    releases: Releases
    #: The run that is asked about, where records and logs land.
    run: Path
    #: Stands for the target's files and what goes to the suite.
    inputs: str
    services: Services | None = None
    #: How often a boundary is run.
    times: int = 3
    #: Ask again, though the answer is there.
    fresh: bool = False
    #: Further words of the command that asks this again.
    words: tuple[str, ...] = ()
    say: Callable[[str], None] = lambda _: None


def bisect(chosen: Chosen, site: Site, *, deadline: float | None = None) -> Blame:
    """Find out what brought a failure in, or take the answer that is there; it is kept.

    `deadline` is a time of `time.monotonic`. What was run before an interruption is not run again.

    Raises:
        InfraError: the machine, the index or a service failed; what was seen so far is kept.
        Interrupted: djhop was asked to stop; likewise.
    """
    requirements = site.stage.target.requirements
    before = choosing.with_credentials(chosen.before, requirements)
    after = choosing.with_credentials(chosen.after, requirements)
    begun = _begun(chosen, before, after, site)
    kept = None if site.fresh else records.kept(site.run, begun.id, begun.inputs)
    if kept and kept.outcome != "stopped":
        return kept
    chosen = msgspec.structs.replace(chosen, before=before, after=after)
    return _Work(begun, kept, chosen, site, deadline).do()


class _Work:
    """One bisect being done."""

    def __init__(
        self,
        begun: Blame,
        kept: Blame | None,
        chosen: Chosen,
        site: Site,
        deadline: float | None,
    ) -> None:
        self._begun, self._site, self._deadline = begun, site, deadline
        self._earlier = kept.seconds if kept else 0.0
        self._started = time.monotonic()
        sides = (chosen.before, chosen.after)
        good, bad = (_point(side) for side in sides)
        self._ends = Ends(good=good, bad=bad)
        world = Machine(
            site.stage,
            chosen.question,
            self._ends,
            {point.key: side.lock for point, side in zip((good, bad), sides, strict=True)},
            folder=site.run / "bisect" / begun.id,
            spawner=site.spawner,
            services=site.services,
            say=site.say,
            first=len(kept.tried) + 1 if kept else 1,
        )
        trials = Trials(
            world,
            known=kept.tried if kept else (),
            label=self._ends.label,
            keep=self._keep,
            go_on=self._go_on,
        )
        self._trials = trials
        self._tracer = Tracer(
            self._ends, world=world, trials=trials, releases=site.releases, times=site.times
        )

    def do(self) -> Blame:
        try:
            traced = self._tracer.trace()
        except OutOfTime:
            return self._kept(outcome="stopped", reason="its time was up")
        except (InfraError, Interrupted) as error:
            self._kept(outcome="stopped", reason=_line(error))
            raise
        return self._kept(outcome=traced.outcome, reason=traced.reason, ways=traced.ways)

    def _go_on(self) -> bool:
        return self._deadline is None or time.monotonic() < self._deadline

    def _keep(self, tried: tuple[Tried, ...]) -> None:
        """Keep what was seen so far: a killed djhop loses no more than one run."""
        so_far = msgspec.structs.replace(self._begun, tried=tried, reason="it was cut short")
        records.keep(self._site.run, so_far)

    def _kept(self, **found: object) -> Blame:
        made = msgspec.structs.replace(
            self._begun,
            tried=tuple(self._trials.tried),
            seconds=round(self._earlier + time.monotonic() - self._started, 1),
            **found,
        )
        said, text = paragraph.answer(made), paragraph.text(made)
        made = msgspec.structs.replace(made, said=said, text=text)
        records.keep(self._site.run, made)
        return made


def _line(error: DjhopError) -> str:
    return str(error).partition("\n")[0].rstrip(":.")


def _point(side: Side) -> Point:
    return Point(python=side.result.python, packages=side.lock.packages)


def _begun(chosen: Chosen, before: Side, after: Side, site: Site) -> Blame:
    asked = chosen.question
    one = hashlib.sha256(repr((asked.hop, asked.cause, asked.mode, asked.asked)).encode())
    ends = (before.lock.key, after.lock.key, site.times, site.inputs)
    everything = hashlib.sha256(repr(ends).encode()).hexdigest()[:20]
    words = ["djhop", "bisect", str(site.run), "--cause", asked.cause, "--hop", asked.hop]
    words += ["--test", asked.tests[0]] if len(asked.tests) == 1 else []
    return question.begun(
        asked,
        one.hexdigest()[:10],
        reproduce=shlex.join([*words, *site.words]),
        inputs=everything,
    )
