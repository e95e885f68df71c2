"""One pass of a cell: the processes that run its suite, and what they have left to read."""

from __future__ import annotations

import functools
import shlex
import signal
from pathlib import Path

import msgspec

from djhop import durable, masking
from djhop.cells import cut, starts
from djhop.cells.starts import Limits, Started
from djhop.cells.workplace import Workplace
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
        kills: list[tuple[str, ...]] = []
        while True:
            over = self._begun(stand, wanted, title, (*self.job.args, *chosen), kills).run(
                # What is run again is about single tests: none is left where one ends the process.
                1 if name else starts.MOST
            )
            if over.killed is None:
                break
            kills.append(over.killed)
            self._killed(stand, title, ", ".join(over.killed[:1]))
        if over.note:
            self.notes.append(f"{wanted.mode}: {over.note}")
        if dropped := over.completed.dropped:
            where = f"the rest, {dropped} bytes, is not kept"
            self.notes.append(
                f"{title}: {Path(files.log).name} has the first of the output; {where}"
            )
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

    def _begun(
        self,
        stand: Stand,
        wanted: Next,
        title: str,
        args: tuple[str, ...],
        kills: list[tuple[str, ...]],
    ) -> starts.Starts:
        """Make ready one begin of a pass."""
        return starts.Starts(
            log=Path(PassFiles.in_folder(str(self.folder), title).events),
            root=stand.room.workspace,
            limits=Limits(
                suite=stand.timeout, test=stand.test_timeout, silence=stand.silence_timeout
            ),
            make=lambda start, done, left: self._start(
                msgspec.structs.replace(stand, timeout=left),
                wanted,
                PassFiles.in_folder(str(self.folder), title, start),
                args,
                done,
            ),
            run=functools.partial(self.inside.run, f"the {wanted.mode} run"),
            told=lambda counts: self._report(wanted.mode, counts),
            shown=masking.numbered(stand.env),
            kills=kills,
        )

    def _killed(self, stand: Stand, title: str, test: str) -> None:
        """Make a fresh tree for a pass whose process was killed, and keep what it had seen."""
        self.notes.append(
            f"{title}: the process was killed (SIGKILL){f' in {test}' * bool(test)}, by a test, by "
            "somebody, or for want of memory: the suite was begun anew"
        )
        cut.keep(self.folder, title)
        for path in self.folder.glob(f"junit-{title}*.xml"):
            path.unlink()
        self._anew(stand, self.room)

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
        runner = ("-m", "pytest") if suite.kind == "pytest" else ()
        self._tell(wanted, stand, (command.argv[0], *runner, *config.argv))
        return Started(command=command, stacks=Path(files.stacks))

    def _tell(self, wanted: Next, stand: Stand, words: tuple[str, ...]) -> None:
        """Say what is about to be run, in the suite's own words: the probe runs it so."""
        told = masking.mask(shlex.join(words), masking.values(stand.env))
        self._report(wanted.mode, None, told)

    def _foreign(self, suite: Suite, stand: Stand, wanted: Next, files: PassFiles) -> Ran:
        """A pass of a command that only the files it writes tell of."""
        tree, args = Path(stand.room.workspace), self.job.args
        command = commands.pass_command(suite, stand, mode=wanted.mode, files=files, args=args)
        foreign.clear(tree, suite.junit)
        self._tell(wanted, stand, command.argv)
        watch = Watch(Tally(Path(files.events)), test=0, silence=stand.silence_timeout)
        done = self.inside.run(f"the {wanted.mode} run", command, None, watch.overdue)
        if done.returncode == -signal.SIGKILL and not (done.timed_out or done.interrupted):
            self._killed(stand, wanted.mode, "")
            foreign.clear(tree, suite.junit)
            done = self.inside.run(f"the {wanted.mode} run", command, None, watch.overdue)
        found = foreign.read(tree, suite.junit, wanted.mode, done, masking.numbered(stand.env))
        died = "silence" if done.timed_out and watch.silent else ""
        return passes.finish(wanted.mode, done, found, log=Path(files.log).name, died=died)
