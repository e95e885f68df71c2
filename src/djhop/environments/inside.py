"""Runs commands in an environment, and tells what they did to it and left running."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from djhop.environments import building, made

if TYPE_CHECKING:
    from djhop.environments.looks import Change
    from djhop.environments.made import Environment
    from djhop.processes.process import Command, Completed, Spawner
    from djhop.sandbox.sandbox import Sandbox

#: Command lines named in a sentence.
NAMED = 3


class Inside:
    """One environment while a cell works in it."""

    def __init__(
        self,
        environment: Environment,
        spawner: Spawner,
        note: Callable[[str], None],
        sandbox: Sandbox | None = None,
    ) -> None:
        self._environment, self._spawner, self._note = environment, spawner, note
        self._sandbox = sandbox
        #: What is in the environment no more as it was made.
        self.changes: tuple[Change, ...] = ()

    def run(
        self,
        what: str,
        command: Command,
        on_tick: Callable[[], None] | None = None,
        overdue: Callable[[float, float], bool] = lambda *_: False,
    ) -> Completed:
        """Run `command`; nobody replaces the environment meanwhile. `what` names it in notes.

        `on_tick` and `overdue` are those of `Spawner.run`.

        Raises what `Spawner.run` raises; Interrupted as well, while the environment is replaced.
        """
        around = self._sandbox.around(command) if self._sandbox else command
        with building.in_use(self._environment.path, self._spawner):
            done = self._spawner.run(around, on_tick, overdue=overdue)
            changes = made.changes(self._environment)
        if self._sandbox:
            done = self._sandbox.checked(command, done)
        if done.left:
            self._note(f"{what} left running what djhop has ended: {_named(done.left)}")
        if changes and changes != self.changes:
            self._note(
                f"{what} changed the environment ({made.told(changes)}): it is made anew before "
                "the next run in it"
            )
        self.changes = changes
        return done

    def foreground(self, command: Command) -> int:
        """Run a command that has the terminal; nobody replaces the environment meanwhile.

        Raises what `Spawner.foreground` raises; InfraError where its sandbox cannot be entered.
        """
        around = self._sandbox.around(command) if self._sandbox else command
        with building.in_use(self._environment.path, self._spawner):
            status = self._spawner.foreground(around)
            self.changes = made.changes(self._environment)
        if self._sandbox:
            self._sandbox.entered(status)
        if self.changes:
            self._note(f"it changed the environment ({made.told(self.changes)})")
        return status


def _named(lines: tuple[str, ...]) -> str:
    counted = [f"{line} ({lines.count(line)} times)" for line in dict.fromkeys(lines)]
    named = [text.removesuffix(" (1 times)") for text in counted]
    more = f" and {len(named) - NAMED} more" if len(named) > NAMED else ""
    return f"{', '.join(named[:NAMED])}{more}"
