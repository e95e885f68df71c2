"""`--sandbox`: what the code of a target can do in it, and what djhop does where there is none."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import djhop_cli
import pytest

from djhop import cli
from djhop.commands import entering
from djhop.errors import ExitCode, InfraError, UsageError
from djhop.processes.process import Command, Completed, Spawner
from djhop.sandbox import sandbox
from djhop.sandbox.sandbox import Sandbox


def available() -> bool:
    try:
        sandbox.require(Spawner())
    except UsageError:
        return False
    return True


LOOPBACK = """
import socket
server = socket.create_server(('127.0.0.1', 0))
socket.create_connection(server.getsockname())
"""
needed = pytest.mark.skipif(not available(), reason="no sandbox on this machine")


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as found:
        yield found


def inside(tmp_path: Path, code: str, **env: str) -> Completed:
    (tmp_path / "in").mkdir(exist_ok=True)
    made = Sandbox(writable=(str(tmp_path / "in"), "/nowhere"), refused=str(tmp_path / "in" / "r"))
    argv = (sys.executable, "-c", code)
    command = Command(argv=argv, cwd=str(tmp_path / "in"), env=env, timeout=30)
    return made.checked(command, Spawner().run(made.around(command)))


@needed
@pytest.mark.parametrize(
    "code",
    [
        "open('../outside', 'w')",
        "import os; os.rename('.', '../moved')",
        "import os; os.utime('..')",
        "import os, socket; socket.create_connection(('127.0.0.1', int(os.environ['PORT'])), 5)",
        "import socket; socket.create_connection(('192.0.2.1', 80), 5)",
        "import os; os.setgid(65534)",
        "import ctypes; assert not ctypes.CDLL(None).mount(b'', b'/', None, 4128, None)",
        "import ctypes; assert ctypes.CDLL(None).umount2(b'/dev/shm', 2) == 0",
    ],
)  # fmt: skip
def test_what_is_not_possible(tmp_path: Path, server: socket.socket, code: str) -> None:
    done = inside(tmp_path, code, PORT=str(server.getsockname()[1]))
    assert done.returncode == 1, done.output
    assert "Error" in done.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]


@needed
@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("open('a', 'w').write(open('/etc/passwd').read())", 0),
        ("import multiprocessing as m; m.Lock(); open('/dev/null', 'w').write('x')", 0),
        (LOOPBACK, 0),
        ("import os; os.kill(os.getpid(), 11)", -11),
        ("import os; os._exit(125)", 125),
        ("import os; assert os.getpgid(0) == os.getpid() == os.getsid(0)", 0),
    ],
)  # fmt: skip
def test_what_is_as_it_is_outside(tmp_path: Path, code: str, status: int) -> None:
    done = inside(tmp_path, code)
    assert (done.returncode, done.argv[0]) == (status, sys.executable), done.output


@needed
def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    made = Sandbox(writable=(str(tmp_path),), refused=str(tmp_path / "r"))
    command = Command(argv=("/nowhere/python",), cwd=str(tmp_path), env={}, timeout=30)
    done = made.checked(command, Spawner().run(made.around(command)))
    said = "djhop: cannot run '/nowhere/python': No such file or directory\n"
    assert (done.returncode, done.output) == (127, said)


@pytest.fixture
def refusing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel that gives no namespace."""
    enter = tmp_path / "enter.py"
    enter.write_text(
        "import sys, pathlib\n"
        "pathlib.Path(sys.argv[1]).write_text('[Errno 1] namespaces: Operation not permitted')\n"
        "sys.exit(125)\n"
    )
    monkeypatch.setattr(sandbox, "ENTER", enter)


def test_where_none_can_be_had_nothing_is_run(tmp_path: Path, refusing: None) -> None:
    with pytest.raises(InfraError, match=r"cannot be entered: .* namespaces: Operation not"):
        inside(tmp_path, "open('a', 'w')")
    assert list((tmp_path / "in").iterdir()) == []
    with pytest.raises(UsageError, match=r"--sandbox: .* namespaces: Operation not permitted"):
        sandbox.require(Spawner())


def test_a_run_without_a_sandbox_is_refused(
    tmp_path: Path, refusing: None, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["run", "demo", "--matrix", "demo", "--sandbox", "--out", str(tmp_path / "out")]
    assert cli._boundary(argv) == ExitCode.USAGE
    assert "--sandbox: the sandbox cannot be entered" in capsys.readouterr().err
    assert not list(tmp_path.glob("out/*/cells"))


def test_a_sandbox_that_does_not_hold_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter = tmp_path / "enter.py"
    text = "import os, sys\nos.execv(sys.executable, sys.argv[sys.argv.index('--') + 1 :])\n"
    enter.write_text(text)
    monkeypatch.setattr(sandbox, "ENTER", enter)
    with pytest.raises(UsageError, match="a sandbox here does not hold"):
        sandbox.require(Spawner())


TESTS = """
import os, pathlib, socket, unittest

class Inside(unittest.TestCase):
    def test_loopback(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            socket.create_connection(server.getsockname()).close()

    def test_the_network(self):
        socket.create_connection(("127.0.0.1", int(os.environ["OUTSIDE"])), 5).close()

    def test_the_workspace(self):
        pathlib.Path("here").write_text("")
        pathlib.Path.home().joinpath("here").write_text("")

    def test_the_target(self):
        pathlib.Path(os.environ["TARGET"], "there").write_text("")
"""


@needed
@pytest.mark.needs_python("3.12")
def test_a_run_in_a_sandbox_says_so(
    tmp_path: Path, shared: Path, server: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "shop"
    target.mkdir()
    (target / "requirements.txt").write_text("Django\n")
    (target / "settings.py").write_text('SECRET_KEY = "x"\nDATABASES = {}\n')
    (target / "test_shop.py").write_text(TESTS)
    env = {"OUTSIDE": str(server.getsockname()[1]), "TARGET": str(target)}
    given = {"test": ["python", "-m", "django", "test"], "settings": "settings", "set-env": env}
    path = {"from": "5.2", "to": "5.2", "python": "3.12", "steps": ["5.2"]}
    matrix = djhop_cli.matrix_file(tmp_path / "m.toml", {**given, **path})
    cache, out = shared / "djhop", tmp_path / "out"
    for options, bad in ((["--sandbox"], {"test_the_network", "test_the_target"}), ([], set())):
        done = djhop_cli.run(target, matrix, cache=cache, out=out, options=options)
        (cell,) = done.cells.values()
        failed = {one["id"].rpartition(".")[2] for one in cell["tests"] if one["plain"] != "passed"}
        assert failed == bad
        assert len(cell["tests"]) == 4
        assert done.run["matrix"]["settings"]["sandbox"] is bool(options)
        said = (done.folder / "report.txt").read_text()
        assert ("ran in a sandbox" in " ".join(said.split())) is bool(options)
        assert (target / "there").exists() is not bool(options)
        assert "python" in cell["passes"][0]["argv"][0]
        assert ("--sandbox" in done.run["command"]) is bool(options)
        # Nor does a command that somebody runs in the cell later have more rights.
        monkeypatch.setattr("djhop.locate.cache", lambda: cache)
        code = f"open({str(tmp_path / f'by-{bool(options)}')!r}, 'w')"
        given = {"run": str(done.folder), "out": str(out), "target": "", "offline": False}
        ended = entering.execute(cell["id"], ("python", "-c", code), **given)
        assert ended == (1 if options else 0)
        assert (tmp_path / f"by-{bool(options)}").exists() is not bool(options)
