"""What uv answers about a path: its locks, the order of each hop's moves, what releases declare.

Locks are made as a run makes them, and kept where a run keeps them; the other answers are kept
beside them, so that asking again starts no process.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import time
from collections.abc import Mapping
from typing import TypeAlias

from djhop import requests
from djhop.chain import Chain
from djhop.declared import asking as declaring
from djhop.declared.book import Book, Page, read
from djhop.deps.keeping import Site, kept
from djhop.errors import DjhopError, InfraError, Interrupted
from djhop.interpreters.interpreters import Interpreter
from djhop.matrix.config import Matrix
from djhop.matrix.plan import Cell, Hop, Plan
from djhop.resolve import asking, resolve
from djhop.resolve.attempts import Attempt
from djhop.resolve.locks import Lock, Unresolvable
from djhop.resolve.order import Order, Side, order
from djhop.resolve.proofs import Failure
from djhop.resolve.request import Request, absolute, is_version, name_of
from djhop.target.target import Target

Answer: TypeAlias = Lock | Unresolvable | DjhopError


class Asked:
    """The cells of a plan's path, what their locks are made from, and what uv says of them."""

    def __init__(
        self,
        plan: Plan,
        *,
        target: Target,
        matrix: Matrix,
        found: Mapping[str, Interpreter],
        site: Site,
    ) -> None:
        self._plan, self._root, self._site = plan, target.root, site
        self._pace = resolve.Pace()
        self.requests = {
            cell: absolute(requests.of(cell, target, matrix, found[cell.python]), target.root)
            for cell in plan.path
            if cell.python in found
        }
        #: Cell → its lock, why there is none, or what kept us from seeing.
        self.answers: dict[Cell, Answer] = {}

    def lock(self, cell: Cell) -> Lock | None:
        """The lock of a cell, where it has one."""
        answer = self.answers[cell]
        return answer if isinstance(answer, Lock) else None

    def stated(self, cell: Cell) -> frozenset[str]:
        """The packages that the project itself names; not Django."""
        request = self.requests.get(cell)
        texts = (*request.requirements, *request.packages) if request else ()
        return frozenset(map(name_of, texts)) - {"django", ""}

    def apps(self, cell: Cell) -> frozenset[str]:
        """The packages that the project names and that have to do with Django."""
        lock = self.lock(cell)
        parents = lock.via.get("django", ()) if lock else ()
        return frozenset(n for n in self.stated(cell) if "django" in n or n in parents)

    def make_locks(self) -> None:
        """Make the locks of the path, each from the one before it.

        Raises:
            Interrupted: djhop was asked to stop.
        """
        spawner = self._site.spawner
        chain = Chain(self._plan, self._resolve)
        chain.make(set(self._plan.path), lambda: spawner.interrupted)
        for cell in self._plan.path:
            try:
                self.answers[cell] = chain.lock(cell)
            except Interrupted:
                raise
            except DjhopError as error:
                self.answers[cell] = error
            except concurrent.futures.CancelledError as error:
                raise Interrupted("stopped while resolving") from error

    def _resolve(self, cell: Cell, previous: Lock | None) -> Lock | Unresolvable:
        if cell not in self.requests:
            hint = "`djhop plan` says how to get it; `djhop run` lets uv install it"
            raise InfraError(f"no Python {cell.python} on this machine", hint=hint)
        site = self._site
        found = resolve.resolve(
            self.requests[cell],
            previous=previous,
            cache=site.cache,
            spawner=site.spawner,
            uv=site.uv,
            uv_env=site.env,
            cwd=self._root,
            fresh=site.fresh,
            offline=site.offline,
            uv_version=site.uv_version,
            pace=self._pace,
        )
        site.say(f"{cell.id}  {_told(found)}")
        return found

    def order(self, hop: Hop) -> Order | None:
        """The order of a hop's moves; None where a side has no lock.

        Raises:
            InfraError: the index does not answer.
            Interrupted: djhop was asked to stop.
        """
        before, after = self.lock(hop.before), self.lock(hop.after)
        if before is None or after is None:
            return None
        old = Side(request=self.requests[hop.before], lock=before)
        new = Side(request=self.requests[hop.after], lock=after)
        key = "\n".join(("order", self._key(hop.before), self._key(hop.after)))

        def make() -> Order:
            self._site.say(f"{hop.before.id} → {hop.after.id}  what can move before it")
            return self._ordered(old, new)

        return kept(self._site, key, Order, make, old.request)

    def _ordered(self, before: Side, after: Side) -> Order:
        with self._site.scratch() as folder:
            site = asking.Site(
                spawner=self._site.spawner,
                uv=self._site.uv,
                env=dict(self._site.env),
                cwd=self._root,
                folder=folder,
                offline=self._site.offline,
                sleep=time.sleep,
            )

            at_hand = dataclasses.replace(site, offline=True)
            known = before.lock.packages.items() | after.lock.packages.items()

            def ask(request: Request, attempt: Attempt) -> Lock | Failure:
                # uv's cache has what the two locks hold; an answer made of that needs no index.
                with contextlib.suppress(InfraError):
                    found = asking.ask(request, attempt, at_hand)
                    if isinstance(found, Lock) and found.packages.items() <= known:
                        return found
                return asking.ask(request, attempt, site)

            return order(before, after, ask)

    def book(self) -> Book:
        """What there is to know of the releases of the path's locks; never fails."""
        cells = [cell for cell in self._plan.path if self.lock(cell)]
        if not cells:
            return Book()
        last = self.requests[cells[-1]]
        key = "\n".join(("book", *map(self._key, cells)))
        return kept(self._site, key, Book, lambda: self._read(cells, last), last)

    def _read(self, cells: list[Cell], last: Request) -> Book:
        self._site.say("what releases declare of themselves")
        options: tuple[str, ...] = ("--offline",) if self._site.offline else ()
        if last.exclude_newer:
            options += ("--exclude-newer", last.exclude_newer)
        with self._site.scratch() as folder:
            site = declaring.Site(
                spawner=self._site.spawner,
                uv=self._site.uv,
                env=self._site.env,
                cwd=self._root,
                folder=folder,
                options=options,
            )
            return read([self._page(cell) for cell in cells], site)

    def _page(self, cell: Cell) -> Page:
        lock = self.lock(cell)
        packages = lock.packages if lock else {}
        pins = {name: version for name, version in packages.items() if is_version(version)}
        return Page(
            interpreter=self.requests[cell].interpreter_path,
            python=cell.python,
            pins=pins,
            described=self.apps(cell) & pins.keys(),
        )

    def _key(self, cell: Cell) -> str:
        lock = self.lock(cell)
        assert lock is not None
        return self._site.key(self.requests[cell], lock, self._root)


def _told(found: Lock | Unresolvable) -> str:
    if isinstance(found, Unresolvable):
        return "no lock"
    return f"{'forced' if found.forced else 'lock'} of {len(found.packages)} packages"
