"""uv as tests script it: what it is asked is kept, what it answers is a list."""

from __future__ import annotations

from pathlib import Path

import msgspec

from djhop.processes.process import Command, Completed
from djhop.resolve import locks
from djhop.resolve.locks import Lock
from djhop.resolve.request import Request

TEXTS = Path(__file__).parent / "unit" / "uv_texts"
SECRET = "http://user:s3cret@index.invalid"


def text(name: str) -> str:
    return (TEXTS / f"{name}.txt").read_text(encoding="utf-8")


def asked(*requirements: str, django: str = "5.2", **more: object) -> Request:
    return Request(
        requirements=requirements,
        django=django,
        python="3.10",
        python_release="3.10.13",
        interpreter_path="/opt/python3.10",
        **more,  # type: ignore[arg-type]
    )


def lock_of(*pins: str, via: dict[str, tuple[str, ...]] | None = None) -> Lock:
    made = locks.parse("".join(f"{pin}\n" for pin in pins))
    return msgspec.structs.replace(made, via=via or {})


class Script:
    """A spawner that answers from a list: a text is a failure, a tuple of pins a lock.

    A pin is asked for by the project, or by whom it says: "celery==5 # beat".
    """

    def __init__(self, *answers: str | tuple[str, ...] | Completed) -> None:
        self.answers = list(answers)
        self.commands: list[Command] = []
        self.files: list[dict[str, str]] = []

    def run(self, command: Command) -> Completed:
        self.commands.append(command)
        out = Path(command.argv[command.argv.index("--output-file") + 1])
        self.files.append({p.name: p.read_text() for p in out.parent.iterdir()})
        answer = self.answers.pop(0)
        if isinstance(answer, Completed):
            return answer
        if isinstance(answer, str):
            return Completed(argv=command.argv, returncode=1, seconds=0.1, output=answer)
        lines = []
        for line in answer:
            pin, _, parent = line.partition(" # ")
            lines.append(f"{pin}\n    # via {parent or f'-r {out.parent}/project.in'}\n")
        out.write_text("".join(lines))
        return Completed(argv=command.argv, returncode=0, seconds=0.1, output="Resolved")
