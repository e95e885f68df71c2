"""One pass of a cell: the processes that run its suite, and what they have left to read."""

from __future__ import annotations

import functools
import shlex
from pathlib import Path

import msgspec

from djhop import durable, masking
from djhop.cells import starts
from djhop.cells.starts import Limits, Started
from djhop.cells.workplace import Workplace
from djhop.processes.process import Command
from djhop.results import foreign, junit, passes
from djhop.results.passes import Next, Ran
from djhop.results.progress import Tally, Watch
from djhop.suites import foreign as commands
from djhop.suites import suites
from djhop.suites.suites import PassFiles, Stand
from djhop.target.target import Suite


class Passing(Workplace):
    """A workplace in which the suite is run."""

    def _pass(
        self, stand: Stand, wanted: Next, *, name: str = "", chosen: tuple[str, ...] = ()
    ) -> Ran:
        suite = self.job.target.suite
        assert suite is not None
        title = name or wanted.mode
        files = PassFiles.in_folder(str(self.folder), title)
        if suite.kind == "command":
            return self._foreign(suite, stand, wanted, files)
        Path(files.events).unlink(missing_ok=True)
        known = (*self.job.args, *chosen)
        going = starts.Starts(
            log=Path(files.events),
            root=stand.room.workspace,
            limits=Limits(
                suite=stand.timeout, test=stand.test_timeout, silence=stand.silence_timeout
            ),
            make=lambda start, done, left: self._start(
                msgspec.structs.replace(stand, timeout=left),
                wanted,
                PassFiles.in_folder(str(self.folder), title, start),
                known,
                done,
            ),
            run=functools.partial(self.inside.run, f"the {wanted.mode} run"),
            told=lambda counts: self._report(wanted.mode, counts),
            shown=masking.numbered(stand.env),
        )
        # What is run again is about single tests: none is left where one ends the process.
        over = going.run(1 if name else starts.MOST)
        if over.note:
            self.notes.append(f"{wanted.mode}: {over.note}")
        last = files
        for start in range(1, over.starts + 1):
            last = PassFiles.in_folder(str(self.folder), title, start)
            masking.rewrite(Path(last.junit), stand.env)
        return passes.finish(
            wanted.mode,
            over.completed,
            over.events,
            xml_tests=junit.count(Path(last.junit)) if suite.kind == "pytest" else None,
            log=Path(files.log).name,
            died=over.died,
        )

    def _start(
        self,
        stand: Stand,
        wanted: Next,
        files: PassFiles,
        args: tuple[str, ...],
        done: tuple[str, ...],
    ) -> Started:
        """Prepare one process of a pass."""
        suite = self.job.target.suite
        assert suite is not None
        command, config = suites.pass_command(
            suite, stand, mode=wanted.mode, files=files, args=args, done=done
        )
        durable.write(Path(files.config), msgspec.json.encode(config))
        Path(files.stacks).unlink(missing_ok=True)
        self._tell(wanted, stand, command)
        return Started(command=command, stacks=Path(files.stacks))

    def _tell(self, wanted: Next, stand: Stand, command: Command) -> None:
        """Say which command of the suite is about to be started."""
        told = masking.mask(shlex.join(command.argv), masking.values(stand.env))
        self._report(wanted.mode, None, told)

    def _foreign(self, suite: Suite, stand: Stand, wanted: Next, files: PassFiles) -> Ran:
        """A pass of a command that only the files it writes tell of."""
        tree, args = Path(stand.room.workspace), self.job.args
        command = commands.pass_command(suite, stand, mode=wanted.mode, files=files, args=args)
        foreign.clear(tree, suite.junit)
        self._tell(wanted, stand, command)
        watch = Watch(Tally(Path(files.events)), test=0, silence=stand.silence_timeout)
        done = self.inside.run(f"the {wanted.mode} run", command, None, watch.overdue)
        found = foreign.read(tree, suite.junit, wanted.mode, done, masking.numbered(stand.env))
        died = "silence" if done.timed_out and watch.silent else ""
        return passes.finish(wanted.mode, done, found, log=Path(files.log).name, died=died)
