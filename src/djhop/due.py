"""Which hops have both their cells done, as cells end in any number of threads."""

from __future__ import annotations

import concurrent.futures
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TypeVar

from djhop.errors import DjhopError, Interrupted
from djhop.matrix.plan import Cell, Hop
from djhop.processes.process import Spawner
from djhop.store.store import RunFolder

T = TypeVar("T")


class Due:
    """The hops of a run that touch one of the cells `mine`; each is done once.

    In a `shared` folder, other djhop do the other cells. `gone` says why a service is there no
    more: what failed then says nothing. `tell` is given a hop's id with the stage that begins on
    it, and with "" when that is over.
    """

    #: The file in a hop's folder that says that it is done.
    file: str
    #: What is done on a hop, in a word.
    stage: str

    def __init__(
        self,
        hops: Collection[Hop],
        *,
        mine: Collection[Cell],
        shared: bool,
        gone: Callable[[], Exception | None],
        spawner: Spawner,
        tell: Callable[[str, str], None] = lambda *_: None,
    ) -> None:
        self._mine, self._shared = set(mine), shared
        self._gone, self._spawner, self._tell = gone, spawner, tell
        #: Exceptions of ours.
        self.bugs = 0
        self._left = [hop for hop in hops if not self._mine.isdisjoint((hop.before, hop.after))]
        self._all = tuple(self._left)
        self._ended: set[str] = set()
        self._lock = threading.Lock()
        self.folder: RunFolder

    @property
    def cells(self) -> set[Cell]:
        """Every cell whose lock is needed."""
        return {cell for hop in self._all for cell in (hop.before, hop.after)}

    def end(self, cells: Iterable[str]) -> None:
        """The results of these cells are on disk."""
        self._ended.update(cells)

    def take(self) -> Iterator[Hop]:
        """Yield the hops that have become due and are not done; nobody else gets them."""
        with self._lock:
            found = [hop for hop in self._left if self._is_due(hop)]
            self._left = [hop for hop in self._left if hop not in found]
        for hop in found:
            done = self.folder.hop(f"{hop.before.id}..{hop.after.id}") / self.file
            if not (done.is_file() or self._spawner.interrupted):
                yield hop

    def attempt(self, hop: Hop, do: Callable[[], T]) -> tuple[T | None, str]:
        """Return what `do` gives, else why it gave nothing: cells are not to pay for that.

        Raises:
            Interrupted: djhop was asked to stop; a resumed run does it.
        """
        self._tell(hop.id, self.stage)
        try:
            return do(), ""
        except Interrupted:
            raise
        except (DjhopError, concurrent.futures.CancelledError) as error:
            return None, str(error) or "a lock was not made"
        except Exception as error:  # ours
            self.bugs += 1
            return None, f"a bug in djhop: {type(error).__name__}: {error}"
        finally:
            self._tell(hop.id, "")

    def _is_due(self, hop: Hop) -> bool:
        return self._has_ended(hop.before) and self._has_ended(hop.after)

    def _has_ended(self, cell: Cell) -> bool:
        if cell in self._mine or not self._shared:
            return cell.id in self._ended
        return self.folder.cell(cell.id).result.is_file()
