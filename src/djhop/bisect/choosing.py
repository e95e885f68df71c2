"""What to blame → one question, and the two cells it lies between, as their runs left them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from djhop import masking
from djhop.bisect import question
from djhop.bisect.question import Question
from djhop.compare.flaky import Evidence
from djhop.errors import UsageError, did_you_mean
from djhop.matrix.plan import Hop
from djhop.resolve import locks, lockstore
from djhop.resolve.locks import Lock
from djhop.results.results import CellResult
from djhop.store.record import Run
from djhop.store.store import RunFolder


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One end: what a cell of a run saw, and the packages it had."""

    result: CellResult
    lock: Lock


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """A question, and the cells it lies between."""

    question: Question
    before: Side
    after: Side


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What was typed."""

    #: Id of a cause, or how it begins.
    cause: str = ""
    test: str = ""
    #: "4.2..5.2", or the hop's whole id.
    hop: str = ""


class Runs:
    """The run that is asked about, and the run that the good end is of, where it is another."""

    def __init__(self, folder: RunFolder, since: RunFolder | None = None) -> None:
        self.folder, self.since = folder, since
        self.run: Run = folder.load()

    def choose(self, wanted: Wanted) -> Iterator[Chosen]:
        """Yield what to blame, worst first; for a hop each of its causes, else only one.

        Raises:
            UsageError: there is no such hop, cause or test, or nothing breaks there.
        """
        hops = self._hops(wanted.hop)
        found = [(hop, one) for hop in hops for one in self._asked(hop, wanted)]
        if not found:
            raise self._nothing(wanted, hops)
        several = wanted.hop and not (wanted.cause or wanted.test)
        for hop, one in found if several else found[:1]:
            yield Chosen(question=one, before=self._before(hop), after=self._after(hop))

    def every(self) -> Iterator[Chosen]:
        """Yield every cause at the hop it first breaks: what is plain first, then most tests."""
        seen = dict[tuple[str, str], tuple[Hop, Question]]()
        for hop in self._hops(""):
            for one in self._questions(hop):
                seen.setdefault((one.cause, one.mode), (hop, one))
        for hop, one in sorted(seen.values(), key=lambda f: (f[1].mode, -len(f[1].tests))):
            yield Chosen(question=one, before=self._before(hop), after=self._after(hop))

    def _hops(self, named: str) -> Sequence[Hop]:
        """The hops that are meant and of which both cells have a result."""
        good, bad = set((self.since or self.folder).results()), set(self.folder.results())
        every = [h for h in self.run.plan.hops if h.before.id in good and h.after.id in bad]
        if self.since and not named:  # what has changed in each cell since then
            cells = (cell for cell in self.run.plan.cells if cell.id in good & bad)
            every = [Hop(before=cell, after=cell, axis="django") for cell in cells]
        found = [hop for hop in every if not named or named in _names(hop)]
        if named and not found:
            known = [name for hop in self.run.plan.hops for name in _names(hop)]
            close = did_you_mean(named, known)
            raise UsageError(
                f"no hop {named!r} with a result in {self.folder.name}",
                hint=close or f"its hops: {', '.join(known[::2])}",
            )
        return found

    def _questions(self, hop: Hop) -> tuple[Question, ...]:
        before, after = self._results(hop)
        if self.since:  # what was run again in this run lies between other cells
            return question.of_hop(before, after, hop)
        again = self.folder.reruns().get(hop.id)
        evidence = Evidence(reruns=again, known=self.run.known_in_force)
        return question.of_hop(before, after, hop, evidence)

    def _asked(self, hop: Hop, wanted: Wanted) -> tuple[Question, ...]:
        asked = self._questions(hop)
        if wanted.cause:
            asked = tuple(one for one in asked if one.cause.startswith(wanted.cause))
        if wanted.test:
            asked = question.of_test(asked, wanted.test)
        return asked

    def _nothing(self, wanted: Wanted, hops: Sequence[Hop]) -> UsageError:
        """Why there is nothing to blame."""
        where = f"on {wanted.hop}" if wanted.hop else f"on any hop of {self.folder.name}"
        if wanted.test:
            return self._no_break(wanted.test, where, hops)
        if wanted.cause:
            known = {cause.id for cause in self.run.causes}
            if any(cause.startswith(wanted.cause) for cause in known):
                return UsageError(f"the cause {wanted.cause} breaks nothing {where}")
            hint = did_you_mean(wanted.cause, known)
            return UsageError(
                f"no cause {wanted.cause!r} in {self.folder.name}",
                hint=hint or "its run.json lists the causes by id",
            )
        return UsageError(
            f"no test breaks {where}", hint=f"djhop report {self.folder.name} says what does"
        )

    def _results(self, hop: Hop) -> tuple[CellResult, CellResult]:
        source = self.since or self.folder
        return source.read_cell(hop.before.id), self.folder.read_cell(hop.after.id)

    def _no_break(self, test: str, where: str, hops: Sequence[Hop]) -> UsageError:
        """Why there is nothing to blame for a test."""
        known = {one.id for hop in hops for result in self._results(hop) for one in result.tests}
        if test not in known:
            hint = did_you_mean(test, known) or "a test is named as in cells/*/cell.json"
            return UsageError(f"no test {test!r} in {self.folder.name}", hint=hint)
        named = {hop.id for hop in hops}
        judged = [hop for hop in self.run.hops if hop.id in named and not self.since]
        if any(test in (*hop.flaky, *hop.order_dependent, *hop.known_flaky) for hop in judged):
            why = "was found to be flaky, or to depend on the order"
        elif any(test in hop.breaking for hop in judged):
            why = "is gone or skipped, and no failure says why"
        else:
            return UsageError(f"{test} does not break {where}")
        return UsageError(f"{test} {why}: there is nothing to look for")

    def _before(self, hop: Hop) -> Side:
        return _side(self.since or self.folder, hop.before.id)

    def _after(self, hop: Hop) -> Side:
        return _side(self.folder, hop.after.id)


def _names(hop: Hop) -> tuple[str, str]:
    """What a person may call a hop: what moves, and its id."""
    ends = (hop.before, hop.after)
    short = [one.python if hop.axis == "python" else one.django for one in ends]
    return "..".join(short), hop.id


def _side(folder: RunFolder, cell: str) -> Side:
    """Read a cell's result, and its lock from the requirements.txt beside it."""
    result, path = folder.read_cell(cell), folder.cell(cell).path / "requirements.txt"
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", hint="run again") from error
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    lock = locks.parse("\n".join(lines))
    return Side(result=result, lock=msgspec.structs.replace(lock, forced=result.forced))


def with_credentials(side: Side, requirements: tuple[str, ...]) -> Side:
    """Put the credentials of URL requirements back into the lock.

    Raises:
        UsageError: the project does not name them any more.
    """
    lock = lockstore.unmasked(side.lock, requirements)
    if hidden := [pin for pin in lock.pins if masking.MASK in pin]:
        raise UsageError(f"the credentials of {hidden[0]} are not known any more", hint="run again")
    return msgspec.structs.replace(side, lock=lock)
