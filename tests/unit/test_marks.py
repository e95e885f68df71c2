"""What leaves the group of its command is found by its mark, and ended; nothing else is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from waiting import alive, eventually

from djhop.processes import leftovers, marks, process
from djhop.processes.identity import identity, place
from djhop.processes.process import Command, Completed, Spawner

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/environ").exists(), reason="this system hides environments"
)

PATH = "/usr/bin:/bin"
#: Starts the program in argv[2] in a session of its own, directly or as an orphan of a process that
#: has ended, writes its pid to argv[3] and goes on as argv[4] says.
ESCAPE = """
import os, subprocess, sys, time
how, program, file, onward = sys.argv[1:]
def start():
    child = subprocess.Popen(["/bin/sh", "-c", program], start_new_session=True)
    open(file + ".new", "w").write(str(child.pid))
    time.sleep(0.3)  # it sets its traps
    os.rename(file + ".new", file)
if how == "session":
    start()
else:
    if os.fork() == 0:
        os.setsid()
        start()
        os._exit(0)
    os.wait()
time.sleep(float(onward))
os._exit(0)
"""
SLEEP = "exec sleep 61"


class Escape:
    """A command whose child leaves its group."""

    def __init__(self, file: Path) -> None:
        self.file = file

    @property
    def pid(self) -> int:
        return int(self.file.read_text())

    def command(
        self,
        *,
        how: str = "session",
        program: str = SLEEP,
        onward: float = 0,
        timeout: float = 20.0,
    ) -> Command:
        words = (how, program, str(self.file), str(onward))
        argv = (sys.executable, "-S", "-c", ESCAPE, *words)
        return Command(argv=argv, cwd="/", env={"PATH": PATH}, timeout=timeout)


@pytest.fixture
def escape(tmp_path: Path) -> Iterator[Escape]:
    escape = Escape(tmp_path / "pid")
    yield escape
    if escape.file.exists() and alive(escape.pid):
        os.kill(escape.pid, signal.SIGKILL)


@pytest.mark.parametrize("how", ["session", "orphan"])
def test_what_left_the_group_is_ended_and_named(escape: Escape, how: str) -> None:
    done = Spawner().run(escape.command(how=how))
    assert done.returncode == 0
    assert not alive(escape.pid)
    assert done.left == ("sleep 61",)


def test_what_left_the_group_is_ended_after_a_timeout(escape: Escape) -> None:
    done = Spawner().run(escape.command(onward=60, timeout=1.5))
    assert done.timed_out
    assert not alive(escape.pid)
    assert done.left == ("sleep 61",)  # the group itself was told to end


def test_what_left_the_group_is_ended_when_interrupted(escape: Escape) -> None:
    spawner, done = Spawner(), []
    command = escape.command(onward=60)
    thread = threading.Thread(target=lambda: done.append(spawner.run(command)))
    thread.start()
    assert eventually(escape.file.exists)
    spawner.interrupt()
    thread.join(10)
    assert done[0].interrupted
    assert not alive(escape.pid)


def test_what_left_the_group_is_ended_after_an_error_of_ours(escape: Escape) -> None:
    def fail() -> None:
        if escape.file.exists():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Spawner().run(escape.command(onward=60), fail)
    assert not alive(escape.pid)


def test_it_is_asked_first(escape: Escape, tmp_path: Path) -> None:
    said = tmp_path / "said"
    Spawner().run(escape.command(program=f"trap 'echo bye > {said}; exit' TERM; sleep 61 & wait"))
    assert said.read_text() == "bye\n"
    assert not alive(escape.pid)


def test_what_refuses_is_killed(escape: Escape, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marks, "PATIENCE", 0.3)
    done = Spawner().run(escape.command(program="trap '' TERM; while :; do sleep 0.05; done"))
    assert done.seconds < 5
    assert not alive(escape.pid)


def test_what_is_stopped_is_ended(escape: Escape) -> None:
    started = time.monotonic()
    Spawner().run(escape.command(program="kill -STOP $$; exec sleep 61"))
    assert not alive(escape.pid)
    assert time.monotonic() - started < marks.PATIENCE + 5


def test_without_a_pidfd(escape: Escape, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pid: int) -> int:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(os, "pidfd_open", refuse)
    Spawner().run(escape.command())
    assert not alive(escape.pid)


def test_on_a_python_without_pidfds(escape: Escape, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "pidfd_open")
    Spawner().run(escape.command())
    assert not alive(escape.pid)


def test_what_stayed_in_the_group_is_named_too() -> None:
    argv = ("/bin/sh", "-c", "sleep 62 & exit 0")
    done = Spawner().run(Command(argv=argv, cwd="/", env={"PATH": PATH}, timeout=20.0))
    assert done.left == ("sleep 62",)


def test_a_group_that_was_told_to_end_has_left_nothing() -> None:
    argv = ("/bin/sh", "-c", "(trap '' TERM; sleep 66; sleep 66) & exec sleep 60")
    done = Spawner().run(Command(argv=argv, cwd="/", env={"PATH": PATH}, timeout=0.5))
    assert done.timed_out
    assert done.left == ()


def test_what_ends_by_itself_is_not_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the resource tracker of multiprocessing does, at the end of its parent."""
    monkeypatch.setattr(marks, "SETTLE", 10.0)
    argv = ("/bin/sh", "-c", "sleep 0.3 & exit 0")
    done = Spawner().run(Command(argv=argv, cwd="/", env={"PATH": PATH}, timeout=20.0))
    assert done.left == ()
    assert done.seconds < 5


def test_nobody_else_is_ended(escape: Escape, tmp_path: Path) -> None:
    """Neither what another command of ours has running, nor what is not ours."""
    other, done = Escape(tmp_path / "other"), []
    spawner = Spawner()
    running = other.command(onward=3)
    thread = threading.Thread(target=lambda: done.append(spawner.run(running)))
    thread.start()
    env = {"PATH": PATH, marks.VARIABLE: "1-0123456789abcdef"}
    with subprocess.Popen(["/bin/sleep", "61"], env=env) as foreign:
        assert eventually(other.file.exists)
        Spawner().run(escape.command())
        assert not alive(escape.pid)
        assert alive(other.pid)
        assert foreign.poll() is None
        foreign.kill()
    thread.join(10)
    completed: Completed = done[0]
    assert completed.left == ("sleep 61",)
    assert not alive(other.pid)


def test_a_pid_that_belongs_to_another_by_now_gets_no_signal() -> None:
    with subprocess.Popen(["/bin/sleep", "61"], env={marks.VARIABLE: "theirs"}) as foreign:
        marks._send(foreign.pid, "ours", signal.SIGKILL)
        time.sleep(0.1)
        assert foreign.poll() is None
        marks._send(foreign.pid, "theirs", signal.SIGKILL)
        assert foreign.wait(5) == -signal.SIGKILL


def test_an_environment_of_any_size_is_read() -> None:
    env = {f"V{n}": "x" * 1000 for n in range(200)} | {"Z": "1", marks.VARIABLE: "large"}
    with subprocess.Popen(["/bin/sleep", "61"], env=env) as child:
        assert eventually(lambda: marks.left("large", 0))
        assert [one.pid for one in marks.left("large", 0)] == [child.pid]
        assert marks.left("larg", 0) == ()
        child.kill()


def test_command_lines_are_short_and_printable() -> None:
    argv = [sys.executable, "-c", "import time; time.sleep(61)\n#\x1b[2J" + "x" * 200]
    with subprocess.Popen(argv, env={marks.VARIABLE: "line"}) as child:
        assert eventually(lambda: marks.left("line", 0))
        (one,) = marks.left("line", 0)
        child.kill()
    assert len(one.command) == marks.WIDTH
    assert one.command.isprintable()


KILLED = """
import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1])
from djhop.processes.process import Command, Spawner
Spawner(Path(sys.argv[2])).run(
    Command(argv=tuple(sys.argv[3:]), cwd="/", env={"PATH": "/usr/bin:/bin"})
)
"""


@pytest.fixture
def killed(escape: Escape, tmp_path: Path) -> Path:
    """The registry of a djhop that was killed, and whose command has ended since."""
    source, registry = Path(process.__file__).parents[2], tmp_path / "r"
    argv = [sys.executable, "-c", KILLED, str(source), str(registry)]
    with subprocess.Popen([*argv, *escape.command(how="orphan", onward=1).argv]) as djhop:
        assert eventually(lambda: escape.file.exists() and list(registry.glob("*.json")))
        assert process.reap_leftovers(registry) == []  # its djhop is alive
        assert alive(escape.pid)
        djhop.kill()
    (path,) = registry.glob("*.json")
    leader = int(path.stem.partition("-")[2])
    assert eventually(lambda: not alive(leader))
    assert alive(escape.pid)
    return registry


def test_what_a_killed_djhop_left_is_ended_though_its_command_is_gone(
    killed: Path, escape: Escape
) -> None:
    # Its leader may be there still, a zombie: that depends on this machine's init.
    assert process.reap_leftovers(killed)[-1] == f"sleep 61 (process {escape.pid})"
    assert not alive(escape.pid)
    assert list(killed.iterdir()) == []


def test_what_another_container_has_running_is_left_alone(killed: Path, escape: Escape) -> None:
    (path,) = killed.glob("*.json")
    here = place()
    assert here
    path.write_bytes(path.read_bytes().replace(f'"{here}"'.encode(), b'"elsewhere:1"'))
    process.reap_leftovers(killed)
    assert alive(escape.pid)


def test_a_service_lasts_as_long_as_its_context(escape: Escape, tmp_path: Path) -> None:
    registry = tmp_path / "r"
    spawner = Spawner(registry)
    with spawner.lasting() as mark:
        command = escape.command(how="orphan")
        done = spawner.run(msgspec.structs.replace(command, mark=mark))
        assert done.left == ()
        spawner.run(Command(argv=("/bin/true",), cwd="/", env={}))
        assert alive(escape.pid)
        assert len(list(registry.iterdir())) == 1
    assert not alive(escape.pid)
    assert list(registry.iterdir()) == []


def test_a_service_does_not_keep_the_group_of_its_command() -> None:
    spawner = Spawner()
    with spawner.lasting() as mark:
        argv = ("/bin/sh", "-c", "sleep 65 & echo $!")
        done = spawner.run(Command(argv=argv, cwd="/", env={"PATH": PATH}, mark=mark))
        assert eventually(lambda: not alive(int(done.output)))


SERVICE = """
import sys, time; from pathlib import Path; sys.path.insert(0, sys.argv[1])
from djhop.processes.process import Command, Spawner
spawner = Spawner(Path(sys.argv[2]))
with spawner.lasting() as mark:
    spawner.run(Command(argv=tuple(sys.argv[3:]), cwd="/", env={}, mark=mark))
    Path(sys.argv[2], "ready").touch(); time.sleep(60)
"""


def test_a_service_of_a_killed_djhop_is_ended(escape: Escape, tmp_path: Path) -> None:
    source, registry = Path(process.__file__).parents[2], tmp_path / "r"
    argv = [sys.executable, "-c", SERVICE, str(source), str(registry)]
    with subprocess.Popen([*argv, *escape.command(how="orphan").argv]) as djhop:
        assert eventually((registry / "ready").exists)
        assert process.reap_leftovers(registry) == []
        assert alive(escape.pid)
        djhop.kill()
    assert process.reap_leftovers(registry) == [f"sleep 61 (process {escape.pid})"]
    assert not alive(escape.pid)


def test_a_group_is_ended_without_a_pidfd(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a killed djhop left, on a kernel without pidfds and on a Python without them."""

    def refuse(pid: int) -> int:
        raise OSError(38, "Function not implemented")

    for break_it in (
        lambda: monkeypatch.setattr(os, "pidfd_open", refuse),
        lambda: monkeypatch.delattr(os, "pidfd_open"),
    ):
        with subprocess.Popen(["/bin/sleep", "67"], start_new_session=True) as child:
            group = leftovers._ours(mark="", pid=child.pid, started=identity(child.pid) or "")
            break_it()
            assert leftovers._end(group)
            assert child.wait(5) == -signal.SIGKILL


#: Processes that start their like and end, over and over, each in a session of its own.
HOPS = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
until = time.time() + 20
for _ in range(int(sys.argv[2])):
    if os.fork() == 0:
        os.setsid()
        while time.time() < until:
            if os.fork():
                os._exit(0)
            with open(sys.argv[1], "a") as file:
                file.write(".")
            time.sleep(0.005)
        os._exit(0)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
@pytest.mark.parametrize("number", [1, 3])
def test_what_starts_itself_anew_is_ended(
    tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marks, "PATIENCE", 0.1)
    trace = tmp_path / "trace"
    argv = (sys.executable, "-S", "-c", HOPS, str(trace), str(number))
    Spawner().run(Command(argv=argv, cwd="/", env={"PATH": PATH}))
    size = trace.stat().st_size
    time.sleep(0.05)
    assert trace.stat().st_size == size
