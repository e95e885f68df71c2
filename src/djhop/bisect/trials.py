"""Runs of points, each remembered: what is asked twice is run once, unless it is to be repeated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

import msgspec

from djhop.bisect.points import Point
from djhop.bisect.question import Said
from djhop.resolve.locks import Lock
from djhop.store.blame import Answer, Tried


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """One run of the tests."""

    said: Said
    seconds: float = 0.0


class OutOfTime(Exception):  # noqa: N818 - no error: the budget says so
    """The budget is used up."""


class World(Protocol):
    """What a bisect needs of the machine and the index."""

    def lock(self, point: Point) -> Lock | str:
        """The exact packages of a point; a sentence where there are none."""

    def run(self, point: Point, lock: Lock) -> Ran:
        """Run the tests there, whatever was run before."""

    def pythons(self, low: str, high: str) -> tuple[str, ...]:
        """The Pythons of this machine between two, lowest first."""

    def release(self, name: str, specifier: str, point: Point, *, lowest: bool = False) -> str:
        """The newest (or lowest) release that a specifier allows there; "" where there is none."""

    def releases(self, name: str, low: str, high: str, point: Point) -> tuple[str, ...]:
        """Every release between two that can be had there, lowest first."""


#: Says whether to go on, before each run.
Clock: TypeAlias = Callable[[], bool]


class Trials:
    """Asks a world about points, and keeps every answer."""

    def __init__(
        self,
        world: World,
        *,
        known: tuple[Tried, ...] = (),
        label: Callable[[Point], str],
        keep: Callable[[tuple[Tried, ...]], None] = lambda _: None,
        go_on: Clock = lambda: True,
    ) -> None:
        self._world, self._label = world, label
        self._keep, self._go_on = keep, go_on
        self._locks: dict[str, Lock | str] = {}
        self.tried = list(known)

    def packages(self, point: Point) -> dict[str, str]:
        """The packages that are really there at a point; {} where it cannot be installed."""
        lock = self._lock(point)
        return lock.packages if isinstance(lock, Lock) else {}

    def ask(self, point: Point) -> Answer:
        """The answer of a point: the first that it gave, where it was asked before."""
        return self.see(point).answer

    def see(self, point: Point) -> Tried:
        """The run of a point, where it was run before; else a new one."""
        earlier = self.runs(point)
        return earlier[0] if earlier else self._run(point)

    def runs(self, point: Point) -> list[Tried]:
        """Every run of a point so far."""
        key = self._key(point)
        return [one for one in self.tried if one.key == key]

    def repeat(self, point: Point, times: int) -> set[Answer]:
        """Run a point until it was run `times` times, or gave two answers; return the answers."""
        answers = {one.answer for one in self.runs(point)}
        while len(answers) < 2 and len(self.runs(point)) < times:
            answers.add(self._run(point).answer)
        return answers

    def _run(self, point: Point) -> Tried:
        if not self._go_on():
            raise OutOfTime
        lock = self._lock(point)
        if isinstance(lock, Lock):
            ran = self._world.run(point, lock)
        else:
            ran = Ran(said=Said(answer="skip", said=lock))
        tried = Tried(
            key=self._key(point),
            label=self._label(point),
            answer=ran.said.answer,
            said=ran.said.said,
            seconds=round(ran.seconds, 3),
        )
        self.tried.append(tried)
        self._keep(tuple(self.tried))
        return tried

    def _lock(self, point: Point) -> Lock | str:
        if point.key not in self._locks:
            self._locks[point.key] = self._world.lock(point)
        return self._locks[point.key]

    def _key(self, point: Point) -> str:
        lock = self._lock(point)
        return f"{point.python} {lock.key}" if isinstance(lock, Lock) else point.key
