"""Locks made by real uv: what both the fixtures and the tests of locks need."""

from __future__ import annotations

import os
from collections.abc import Callable

from djhop.processes.process import Command, Completed, Spawner
from djhop.resolve.locks import Lock, Unresolvable

#: The environment without what would steer uv or Python.
ENVIRON = {k: v for k, v in os.environ.items() if not k.startswith(("UV_", "PYTHON"))}


class Counting:
    """The real spawner, and what it ran."""

    def __init__(self) -> None:
        self.spawner = Spawner()
        self.ran: list[Completed] = []

    def run(self, command: Command) -> Completed:
        self.ran.append(self.spawner.run(command))
        return self.ran[-1]


Lay = Callable[..., "tuple[Lock | Unresolvable, Counting]"]


def lock_of(laid: tuple[Lock | Unresolvable, Counting]) -> Lock:
    assert isinstance(laid[0], Lock), laid[0]
    return laid[0]


def blocked(laid: tuple[Lock | Unresolvable, Counting]) -> Unresolvable:
    assert isinstance(laid[0], Unresolvable), laid[0]
    return laid[0]
