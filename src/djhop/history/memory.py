"""The history of one folder of runs: nights in, what changed out; several djhop may write."""

from __future__ import annotations

import contextlib
import datetime
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from djhop.errors import InfraError
from djhop.history import changing, database, reading, writing
from djhop.history.changing import Failing, Found
from djhop.history.nights import Night, Told
from djhop.history.reading import Row
from djhop.history.since import KEPT, Burn, Since, Still, Tests

#: Nights of a strip, and of the picture of what is left; tests that have a strip.
STRIP, BURN, STRIPS = 30, 90, 400


class DamagedError(InfraError):
    """A history is found damaged while it is in use."""


class Memory:
    """An open history."""

    def __init__(self, made: sqlite3.Connection) -> None:
        self.made = made

    def record(self, night: Night, cells: Iterable[Told]) -> bool:
        """Write a night; False, and nothing is written, where it is there already."""
        with database.transaction(self.made):
            if writing.known(self.made, night):
                return False
            at = writing.begin(self.made, night)
            for cell in cells:
                writing.write_cell(self.made, night, at, cell)
            self._hops(night, at)
        return True

    def remember(self, night: Night, cells: Iterable[Told], *, window: int) -> Since | None:
        """Write a night, and say what changed from those before; None where it is the first.

        Flaky and slower tests are looked for in the last `window` nights. None, too, where the
        night is there already.
        """
        with database.transaction(self.made):
            if writing.known(self.made, night):
                return None
            at = writing.begin(self.made, night)
            rows = reading.runs(self.made, night.line, until=at + 1)
            line = changing.line_of(rows, window)
            found = []
            for cell in cells:
                writing.write_cell(self.made, night, at, cell)
                scope = writing.scope_of(self.made, night.line, "cell", cell.id)
                found.append(changing.CellLook(self.made, line, scope, cell).look())
            self._hops(night, at)
            return self._since(night, rows, found, window) if len(rows) > 1 else None

    def _hops(self, night: Night, at: int) -> None:
        for hop in night.hops:
            writing.write_hop(self.made, night, at, hop)

    def _since(self, night: Night, rows: list[Row], found: list[Found], window: int) -> Since:
        last = rows[-2]
        strip_rows, burn_rows = rows[-STRIP:], rows[-BURN:]
        return Since(
            nights=len(rows) - 1,
            run=last.name,
            started=last.started,
            revision=last.revision,
            revision_now=night.revision,
            window=min(window, len(rows) - 1),
            cells=tuple(one.cell for one in found if one.cell is not None),
            still=_still([one for each in found for one in each.still], rows),
            flaky=tuple(
                sorted((o for each in found for o in each.flaky), key=lambda o: -o.times)[:KEPT]
            ),
            slower=tuple(
                sorted(
                    (one for each in found for one in each.slower),
                    key=lambda one: one.most - one.seconds,
                )[:KEPT]
            ),
            strip_nights=tuple(row.started for row in strip_rows),
            burn_nights=tuple(row.started for row in burn_rows),
            strips=_strips(found, [row.at for row in strip_rows]),
            burn=tuple(self._burn(night, [row.at for row in burn_rows])),
        )

    def _burn(self, night: Night, moments: list[int]) -> Iterator[Burn]:
        scopes = {one.name: one.id for one in reading.scopes(self.made, "hop", night.line)}
        for hop in night.hops:
            known = {one.at: one for one in reading.seen(self.made, scopes[hop.id])}
            told = [known.get(at) for at in moments]
            yield Burn(
                hop=hop.id,
                breaks=tuple(one.amount if one else None for one in told),
                deprecations=tuple(one.uses if one else None for one in told),
            )

    def expected(self, line: str) -> dict[str, tuple[float, int]]:
        """Return the seconds and the tests of each cell's last night with tests, by cell."""
        rows = self.made.execute(
            "SELECT scope.name, seen.seconds, seen.amount, MAX(seen.at) FROM scope"
            " JOIN seen ON seen.scope = scope.id"
            " WHERE scope.line = ? AND scope.kind = 'cell' AND seen.told GROUP BY scope.id",
            (line,),
        )
        return {name: (seconds or 0.0, amount or 0) for name, seconds, amount, _ in rows}


@contextlib.contextmanager
def opened(path: Path, say: Callable[[str], None] | None) -> Iterator[Memory]:
    """Open a history; one that is damaged is set aside, which is said, and a new one begun.

    Without `say` it is left where it is.

    Raises:
        UsageError: it is of a newer djhop.
        DamagedError: it is damaged, and found so only while it is in use; or there is no `say`.
        InfraError: it cannot be opened or written.
    """
    try:
        made = database.connect(path)
    except sqlite3.DatabaseError as error:
        if say is None:
            raise _damaged(path, error) from error
        renew(path, error, say)
        made = database.connect(path)
    try:
        yield Memory(made)
    except sqlite3.OperationalError as error:
        raise InfraError(f"cannot use {path}: {error}") from error
    except sqlite3.DatabaseError as error:
        raise _damaged(path, error) from error
    finally:
        made.close()


def _damaged(path: Path, error: Exception) -> DamagedError:
    hint = f"rename it: the next run begins a new {path.name}"
    return DamagedError(f"{path} is damaged: {error}", hint=hint)


def renew(path: Path, error: Exception, say: Callable[[str], None]) -> None:
    """Set a damaged history aside, and say so."""
    aside = database.set_aside(path, datetime.datetime.now(datetime.UTC))
    say(f"{path} is damaged ({error}): it is {aside.name} now, and a new one is begun")


def _still(failing: list[Failing], rows: list[Row]) -> tuple[Still, ...]:
    """Put together what has been failing since the same night, the oldest first."""
    runs = {row.at: row for row in rows}
    groups: defaultdict[int, list[Failing]] = defaultdict(list)
    for one in failing:
        groups[one.since].append(one)
    found = []
    for at, several in sorted(groups.items()):
        tests = tuple(dict.fromkeys(one.test for one in several))
        found.append(
            Still(
                started=runs[at].started,
                run=runs[at].name,
                revision=runs[at].revision,
                or_earlier=any(one.or_earlier for one in several),
                tests=Tests(total=len(tests), ids=tests[:KEPT]),
                cells=tuple(dict.fromkeys(one.cell for one in several)),
            )
        )
    return tuple(found)


def _strips(found: list[Found], moments: list[int]) -> dict[str, dict[str, str]]:
    """The last nights of each test that fails, wavers or changed, as far as there is room."""
    every = [
        (steps[-1].at, each, test, steps)
        for each in found
        if each.cell is not None
        for test, steps in each.strips.items()
    ]
    strips: dict[str, dict[str, str]] = {}
    for _, each, test, steps in sorted(every, key=lambda one: -one[0])[:STRIPS]:
        if each.cell is not None:
            strip = reading.strip(steps, each.told, moments)
            strips.setdefault(each.cell.id, {})[test] = strip
    return strips
