"""Commands that run in a sandbox, and whether this machine can make one."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from pathlib import Path

import msgspec

from djhop.errors import InfraError, UsageError
from djhop.processes.process import Command, Completed, Spawner

ENTER = Path(__file__).with_name("enter.py")
#: What `enter.py` ends with where it could not enter.
REFUSED = 125
_HINT = "docs/security.md says what it needs; without --sandbox the tests have all your rights"
#: Tries what must not be possible, and what must; says so.
_TRY = """
import os, pathlib, socket, sys
server = socket.create_server(("127.0.0.1", 0))
socket.create_connection(server.getsockname()).close()
others = [name for _, name in socket.if_nameindex() if name != "lo"]
if any(open(f"/sys/class/net/{name}/operstate").read().strip() == "up" for name in others
       if os.path.exists(f"/sys/class/net/{name}/operstate")):
    sys.exit("there is another network than loopback")
pathlib.Path(sys.argv[1], "inside").write_text("")
try:
    pathlib.Path(sys.argv[2], "outside").write_text("")
except OSError:
    print("sandboxed")
else:
    sys.exit(f"{sys.argv[2]} can be written")
"""


class Sandbox(msgspec.Struct, frozen=True, kw_only=True):
    """Where commands may write: each of these folders that is there, and what is below it."""

    writable: tuple[str, ...]
    #: A file in one of the folders, for what could not be had.
    refused: str

    def around(self, command: Command) -> Command:
        """The command that enters the sandbox and then is `command`."""
        there = [folder for folder in self.writable if Path(folder).is_dir()]
        enter = (sys.executable, "-I", "-S", str(ENTER), self.refused, *there, "--")
        return msgspec.structs.replace(command, argv=(*enter, *command.argv))

    def checked(self, command: Command, done: Completed) -> Completed:
        """How `command` ended in it.

        Raises:
            InfraError: it could not be entered, so nothing was run.
        """
        self.entered(done.returncode)
        return msgspec.structs.replace(done, argv=command.argv)

    def entered(self, status: int) -> None:
        """Look whether what ended with this status was in the sandbox.

        Raises:
            InfraError: it could not be entered, so nothing was run.
        """
        refused = Path(self.refused)
        if status == REFUSED and refused.exists():
            with contextlib.suppress(OSError):
                why = refused.read_text("utf-8", "replace").strip()
                refused.unlink()
                raise InfraError(f"the sandbox cannot be entered: {why}", hint=_HINT)


def require(spawner: Spawner) -> None:
    """Try a sandbox once.

    Raises:
        UsageError: this machine cannot make one; the message says why.
    """
    if sys.platform != "linux":
        raise UsageError("--sandbox needs Linux: namespaces keep the tests apart", hint=_HINT)
    with (
        tempfile.TemporaryDirectory(prefix="djhop-sandbox-") as inside,
        tempfile.TemporaryDirectory(prefix="djhop-sandbox-") as outside,
    ):
        sandbox = Sandbox(writable=(inside,), refused=str(Path(inside, "refused")))
        argv = (sys.executable, "-I", "-S", "-c", _TRY, inside, outside)
        command = Command(argv=argv, cwd=inside, env={}, timeout=30)
        try:
            done = sandbox.checked(command, spawner.run(sandbox.around(command)))
        except InfraError as error:
            raise UsageError(f"--sandbox: {error}", hint=_HINT) from error
        if done.returncode or done.output.strip() != "sandboxed":
            said = (done.output.strip().splitlines() or [f"it ended with {done.returncode}"])[-1]
            raise UsageError(f"--sandbox: a sandbox here does not hold: {said}", hint=_HINT)
