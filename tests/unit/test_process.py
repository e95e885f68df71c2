"""The room that starts processes, against real ones: what it promises is about the system."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from waiting import alive, eventually

from djhop.errors import InfraError, UsageError
from djhop.processes import clock, foreground, leftovers, process, sink, waiting
from djhop.processes.identity import identity
from djhop.processes.process import Command, Completed, Spawner

PATH = "/usr/bin:/bin"


def command(*argv: str, **fields: object) -> Command:
    defaults: dict[str, object] = {"cwd": "/", "env": {"PATH": PATH}, "timeout": 20.0}
    return Command(argv=argv, **{**defaults, **fields})  # type: ignore[arg-type]


def sh(script: str, **fields: object) -> Command:
    return command("/bin/sh", "-c", script, **fields)


def python(code: str, **fields: object) -> Command:
    return command(sys.executable, "-S", "-c", code, **fields)


@pytest.fixture
def spawner() -> Iterator[Spawner]:
    spawner = Spawner()
    yield spawner
    spawner.interrupt()


def test_the_output_and_the_status_of_a_command(spawner: Spawner) -> None:
    done = spawner.run(sh("echo out; echo err >&2; exit 3"))
    assert (done.returncode, done.output) == (3, "out\nerr\n")
    assert not (done.timed_out or done.interrupted or done.dropped)
    assert 0 < done.seconds < 5


def test_the_environment_is_exactly_what_was_said(
    spawner: Spawner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DJHOP_LEAK", "1")
    said, mark = spawner.run(command("/usr/bin/env", env={"A": "b c"})).output.splitlines()
    assert said == "A=b c"
    assert mark.startswith("DJHOP_COMMAND_ID=")


def test_stdin_is_empty_and_the_session_its_own(spawner: Spawner) -> None:
    read, write = os.pipe()
    os.write(write, b"ours")
    os.close(write)
    mine = os.dup(0)
    os.dup2(read, 0)
    try:
        code = "import os,sys; print(sys.stdin.read(), os.getsid(0)==os.getpid())"
        assert spawner.run(python(code)).output == " True\n"
    finally:
        os.dup2(mine, 0)
        os.close(mine)
        os.close(read)


def test_no_shell(spawner: Spawner) -> None:
    assert spawner.run(command("/bin/echo", "$HOME; ls *", "b")).output == "$HOME; ls * b\n"


def test_a_signal_is_a_negative_status(spawner: Spawner) -> None:
    assert spawner.run(sh("kill -SEGV $$")).returncode == -signal.SIGSEGV


@pytest.mark.parametrize(
    ("argv", "status"),
    [(("/no/such/program",), 127), (("/etc/passwd",), 126), (("/bin/echo", "a\0b"), 126)],
)
def test_what_cannot_be_started_is_a_result(
    spawner: Spawner, argv: tuple[str, ...], status: int
) -> None:
    done = spawner.run(command(*argv))
    assert done.returncode == status
    assert done.output.startswith("djhop: cannot run ")


def test_a_machine_without_room_is_no_verdict(
    spawner: Spawner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object, **_kwargs: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    with pytest.raises(InfraError, match="cannot start another process"):
        spawner.run(sh("true"))


def test_a_log_has_a_header_is_appended_to_and_readable_meanwhile(
    spawner: Spawner, tmp_path: Path
) -> None:
    log, seen = tmp_path / "log.txt", []
    first = sh("echo one; sleep 0.5", log=str(log))
    done = spawner.run(first, on_tick=lambda: seen.append(log.read_text()))
    spawner.run(command("/bin/echo", "t w\n\x1b[2J", log=str(log)))
    assert done.output == ""
    assert "one" in seen[-1]
    assert log.read_text() == (
        "$ /bin/sh -c 'echo one; sleep 0.5'\none\n$ /bin/echo 't w\\n\\x1b[2J'\nt w\n\x1b[2J\n"
    )


def test_a_log_that_cannot_be_opened(spawner: Spawner, tmp_path: Path) -> None:
    with pytest.raises(InfraError, match="cannot write the log"):
        spawner.run(sh("true", log=str(tmp_path / "no" / "log")))


def test_a_full_disk_ends_the_child(spawner: Spawner, monkeypatch: pytest.MonkeyPatch) -> None:
    started = time.monotonic()
    with pytest.raises(InfraError, match="No space left"):
        spawner.run(sh("echo hello; sleep 30", log="/dev/full"))
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("to_log", [False, True])
def test_what_is_beyond_the_limit_is_counted_and_dropped(
    spawner: Spawner, tmp_path: Path, to_log: bool
) -> None:
    log = str(tmp_path / "log") if to_log else None
    done = spawner.run(sh("head -c 50000000 /dev/zero", limit=1000, log=log))
    assert (done.returncode, done.dropped) == (0, 50_000_000 - 1000)
    if log:
        assert Path(log).stat().st_size < 1200
        assert "[djhop: 49999000 more bytes of output dropped]" in Path(log).read_text()
    else:
        assert len(done.output) == 1000


def test_bytes_that_are_no_text(spawner: Spawner) -> None:
    script = r"printf 'a\377\000b'"
    assert spawner.run(sh(script)).output == "a\ufffd\0b"
    kept = spawner.run(sh(script, decode="surrogateescape")).output
    assert os.fsencode(kept) == b"a\xff\0b"


def test_a_timeout_is_polite_first(spawner: Spawner) -> None:
    script = "trap 'echo bye; exit 5' TERM; sleep 30 & wait"
    done = spawner.run(sh(script, timeout=0.3))
    assert (done.timed_out, done.returncode, done.output) == (True, 5, "bye\n")
    assert 0.3 <= done.seconds < 2


def test_a_timeout_ends_what_refuses(spawner: Spawner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "GRACE", 0.4)
    done = spawner.run(sh("trap '' TERM; while :; do sleep 0.1; done", timeout=0.2))
    assert (done.timed_out, done.returncode) == (True, -signal.SIGKILL)
    assert 0.6 <= done.seconds < 2


def test_a_stopped_child_is_ended_in_time(spawner: Spawner) -> None:
    done = spawner.run(sh("kill -STOP $$", timeout=0.2))
    assert done.timed_out
    assert done.seconds < 2


def test_before_the_end_for_a_limit_stacks_may_be_dumped(spawner: Spawner) -> None:
    script = "trap 'echo dumped' USR1; trap 'echo bye; exit' TERM; while :; do :; done"
    done = spawner.run(sh(script, timeout=0.2, dump=int(signal.SIGUSR1)))
    assert (done.timed_out, done.output) == (True, "dumped\nbye\n")


def test_a_command_is_ended_when_it_is_overdue(spawner: Spawner) -> None:
    asked: list[tuple[float, float]] = []

    def overdue(ran: float, quiet: float) -> bool:
        asked.append((ran, quiet))
        return quiet > 0.2

    done = spawner.run(sh("sleep 0.15; echo a; sleep 60"), overdue=overdue)
    assert (done.timed_out, done.interrupted, done.output) == (True, False, "a\n")
    ran, quiet = asked[-1]
    assert quiet > 0.2
    assert ran > quiet + 0.1
    assert ran <= done.seconds < 2


def test_time_in_which_nobody_looks_counts_as_a_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    watched = clock.Clock(2.0)
    for step in (0.5, 3600.0, 0.5):
        now[0] += step
        watched.look(0)
    assert watched.ran == watched.quiet == 1.0 + clock.TICK
    assert not watched.over
    now[0] += 0.95
    watched.look(7)
    assert (watched.over, watched.quiet) == (True, 0.0)


STOPPED = """
import signal, sys; sys.path.insert(0, sys.argv[1])
from djhop.processes import clock
from djhop.processes.process import Command, Spawner
clock.GAP, spawner = 0.25, Spawner()
signal.signal(signal.SIGTSTP, lambda *_: spawner.suspend())
argv = ("/bin/sh", "-c", f"echo $$ > {sys.argv[2]}.new; mv {sys.argv[2]}.new {sys.argv[2]}; "
        "sleep 0.5")
command = Command(argv=argv, cwd="/", env={"PATH": "/usr/bin:/bin"}, timeout=1.2)
done = spawner.run(command, on_tick=lambda: open(sys.argv[3], "w").close())
sys.exit(10 if done.timed_out else done.returncode)
"""


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="the state of a process is read there")
def test_a_stopped_djhop_stops_its_children_and_no_time_passes(tmp_path: Path) -> None:
    pid, ready = tmp_path / "pid", tmp_path / "ready"
    source = str(Path(process.__file__).parents[2])
    argv = [sys.executable, "-c", STOPPED, source, str(pid), str(ready)]
    with subprocess.Popen(argv) as djhop:
        try:
            assert eventually(lambda: pid.exists() and ready.exists())
            djhop.send_signal(signal.SIGTSTP)
            stat = Path(f"/proc/{pid.read_text().strip()}/stat")
            assert eventually(lambda: stat.read_text().rpartition(")")[2].split()[0] == "T")
            time.sleep(1.3)
        finally:
            djhop.send_signal(signal.SIGCONT)
        assert djhop.wait(10) == 0


def test_no_timeout_means_none(spawner: Spawner) -> None:
    assert not spawner.run(sh("sleep 0.3", timeout=None)).timed_out


def test_nothing_of_the_group_outlives_a_normal_end(spawner: Spawner) -> None:
    done = spawner.run(sh("(trap '' TERM HUP; sleep 60) & echo $!"))
    assert done.returncode == 0
    assert done.seconds < 2
    assert eventually(lambda: not alive(int(done.output)))


def test_what_is_not_found_and_holds_the_pipe_does_not_hang_us(
    spawner: Spawner, tmp_path: Path
) -> None:
    pid = tmp_path / "pid"
    # It leaves the group, and throws its environment away.
    writer = "import os\nwhile True: os.write(1, b'x' * 9999)"
    code = (
        "import os,sys,time\nprint('parent',flush=True)\nif os.fork()==0:\n os.setsid()\n"
        f" open({str(pid)!r},'w').write(str(os.getpid()))\n"
        f" os.execve(sys.executable, ['python', '-S', '-c', {writer!r}], {{}})\n"
        f"while not os.path.exists({str(pid)!r}): time.sleep(.01)\n"
        "time.sleep(.3)"
    )
    try:
        done = spawner.run(python(code))
        assert done.returncode == 0
        assert "parent" in done.output
        assert done.left == ()  # so the test has seen what it is about
        assert done.seconds < 3
    finally:
        escaped = int(pid.read_text())
        if alive(escaped):
            os.kill(escaped, signal.SIGKILL)


def test_a_child_that_closes_its_output_is_still_waited_for(spawner: Spawner) -> None:
    assert spawner.run(sh("exec >&- 2>&-; sleep 0.3; exit 4")).returncode == 4


def test_the_group_is_killed_before_the_leader_is_reaped(
    spawner: Spawner, monkeypatch: pytest.MonkeyPatch
) -> None:
    states: list[str] = []
    real = os.killpg

    def spy(pid: int, number: int) -> None:
        states.append(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0])
        real(pid, number)

    monkeypatch.setattr(os, "killpg", spy)
    spawner.run(sh("true"))
    assert states == ["Z"]  # had it been reaped there would be no such file


def test_without_a_pidfd(spawner: Spawner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "watch", lambda pid: None)
    assert spawner.run(sh("echo a; sleep 0.2; exit 6")).returncode == 6
    assert spawner.run(sh("sleep 30", timeout=0.2)).timed_out


def test_ticks_come_about_ten_times_a_second(spawner: Spawner) -> None:
    ticks: list[float] = []
    spawner.run(sh("yes | head -c 100000; sleep 1"), on_tick=lambda: ticks.append(time.time()))
    assert 6 <= len(ticks) <= 12


def test_an_error_in_a_tick_ends_the_child(spawner: Spawner, tmp_path: Path) -> None:
    def fail() -> None:
        if (tmp_path / "pid").exists():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        spawner.run(sh("echo $$ > pid.new; mv pid.new pid; sleep 60", cwd=str(tmp_path)), fail)
    assert not alive(int((tmp_path / "pid").read_text()))


def test_interrupt_ends_all_and_refuses_more(spawner: Spawner, tmp_path: Path) -> None:
    done: list[Completed] = []

    def work() -> None:
        done.append(spawner.run(sh("sleep 60")))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    started = time.monotonic()
    spawner.interrupt()
    for thread in threads:
        thread.join(10)
    assert time.monotonic() - started < 2
    assert [d.interrupted for d in done] == [True] * 4
    assert not any(d.timed_out for d in done)
    late = spawner.run(sh(f"touch {tmp_path}/ran"))
    assert late.interrupted
    assert not (tmp_path / "ran").exists()
    assert spawner.interrupted


def test_a_second_interrupt_does_not_wait(spawner: Spawner) -> None:
    done: list[Completed] = []
    stubborn = sh("trap '' TERM; while :; do sleep 0.1; done")
    thread = threading.Thread(target=lambda: done.append(spawner.run(stubborn)))
    thread.start()
    time.sleep(0.3)
    spawner.interrupt()
    time.sleep(0.3)
    assert thread.is_alive()
    spawner.interrupt()
    thread.join(1)
    assert done[0].interrupted
    assert done[0].returncode == -signal.SIGKILL


def test_many_threads_at_once(spawner: Spawner) -> None:
    outputs: list[str] = []

    def work(number: int) -> None:
        for turn in range(10):
            outputs.append(spawner.run(sh(f"echo {number}-{turn}")).output.strip())

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outputs) == sorted(f"{n}-{t}" for n in range(6) for t in range(10))


def test_no_descriptor_is_left_open(spawner: Spawner) -> None:
    spawner.run(sh("true"))
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        spawner.run(sh("true"))
        spawner.run(command("/no/such"))
    assert len(list(Path("/proc/self/fd").iterdir())) <= before


def test_a_live_group_is_on_record(tmp_path: Path) -> None:
    seen: list[int] = []
    Spawner(tmp_path).run(
        sh("sleep 0.3"), on_tick=lambda: seen.append(len(list(tmp_path.glob("*.json"))))
    )
    assert seen[-1] == 1
    assert list(tmp_path.iterdir()) == []


KILLED = """
import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1])
from djhop.processes.process import Command, Spawner
argv = ("/bin/sh", "-c", f"echo $$ > {sys.argv[2]}.new; mv {sys.argv[2]}.new {sys.argv[2]}; "
        "trap '' PIPE; sleep 60 & wait")
Spawner(Path(sys.argv[3])).run(Command(argv=argv, cwd="/", env={"PATH": "/usr/bin:/bin"}))
"""


@pytest.fixture
def killed(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], int, Path]]:
    """A djhop that runs a child; its registry."""
    source, pid, registry = Path(process.__file__).parents[2], tmp_path / "pid", tmp_path / "r"
    argv = [sys.executable, "-c", KILLED, str(source), str(pid), str(registry)]
    with subprocess.Popen(argv) as djhop:
        assert eventually(lambda: pid.exists() and list(registry.glob("*.json")))
        child = int(pid.read_text())
        yield djhop, child, registry
        djhop.kill()
        if alive(child):
            os.killpg(child, signal.SIGKILL)


def test_what_a_killed_djhop_left_is_ended(
    killed: tuple[subprocess.Popen[bytes], int, Path],
) -> None:
    djhop, child, registry = killed
    assert process.reap_leftovers(registry) == []  # its djhop is alive
    assert alive(child)
    djhop.kill()
    djhop.wait()
    assert alive(child)
    assert [f"process group {child}" in text for text in process.reap_leftovers(registry)] == [True]
    assert eventually(lambda: not alive(child))
    assert list(registry.iterdir()) == []


def test_a_pid_that_belongs_to_another_by_now_is_left_alone(
    killed: tuple[subprocess.Popen[bytes], int, Path],
) -> None:
    djhop, child, registry = killed
    djhop.kill()
    djhop.wait()
    (path,) = registry.glob("*.json")
    started = identity(child)
    assert started
    other = path.read_bytes().replace(started.encode(), (started + "1").encode())
    path.write_bytes(other.replace(b'"mark":"', b'"mark":"x'))
    assert process.reap_leftovers(registry) == []
    assert alive(child)
    assert not path.exists()


def test_a_damaged_registry(tmp_path: Path) -> None:
    (tmp_path / "999999999-1.json").write_text("{")
    (tmp_path / "x-1.json").write_text('{"pid": "no"}')
    (tmp_path / "999999999-2.new").write_text("")
    assert process.reap_leftovers(tmp_path) == []
    assert list(tmp_path.iterdir()) == []
    assert process.reap_leftovers(tmp_path / "none") == []


def test_identity_is_one_for_each_process() -> None:
    mine = identity(os.getpid())
    assert mine
    assert mine == identity(os.getpid())
    assert mine != identity(1)
    assert identity(2**22 + 5) is None


def test_quoting() -> None:
    assert sink.quoted(("a", "b c", "d\ne", "\udcff")) == "a 'b c' 'd\\ne' '\\udcff'"


def test_running_a_trivial_command_costs_little(tmp_path: Path) -> None:
    """Under 5 ms beyond what `subprocess` itself takes; CPU time, as the machine may be busy."""
    spawner, trivial = Spawner(tmp_path), command("/bin/true")

    def best(action: Callable[[], object]) -> float:
        times = []
        for _ in range(30):
            started = time.process_time()
            action()
            times.append(time.process_time() - started)
        return min(times)

    ours = best(lambda: spawner.run(trivial))
    bare = best(lambda: subprocess.run(["/bin/true"], check=True, capture_output=True, env={}))
    assert ours - bare < 0.005, (ours, bare)


def test_leftovers_records_nothing_it_could_not_recognise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leftovers, "identity", lambda pid: None)
    assert leftovers.record(tmp_path / "r", 1, ("a",), "mark") is None
    assert not (tmp_path / "r").exists()


def test_a_command_in_the_foreground_has_standard_input_and_output() -> None:
    code = (
        "import sys; from djhop.processes.process import Command, Spawner\n"
        "env = {'PATH': '/usr/bin:/bin'}\n"
        "sys.exit(Spawner().foreground(Command(argv=tuple(sys.argv[1:]), cwd='/', env=env)))"
    )
    argv = [sys.executable, "-c", code, "/bin/sh", "-c", "read a; echo $a $A; exit 7"]
    env = {**os.environ, "A": "a"}  # which is not for the command
    done = subprocess.run(
        argv, check=False, input="typed\n", capture_output=True, text=True, env=env
    )
    assert (done.returncode, done.stdout) == (7, "typed\n")


def test_a_signal_goes_to_the_command_in_the_foreground() -> None:
    code = (
        "import sys; from djhop.processes.process import Command, Spawner\n"
        "print(Spawner().foreground(Command(argv=tuple(sys.argv[1:]), cwd='/', env={})))"
    )
    trap = "trap 'echo told; exit 9' TERM; echo ready; while :; do /bin/sleep 0.02; done"
    argv = [sys.executable, "-u", "-c", code, "/bin/sh", "-c", trap]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as djhop:
        assert djhop.stdout is not None
        assert djhop.stdout.readline() == "ready\n"
        djhop.terminate()
        assert djhop.stdout.read() == "told\n9\n"
    assert djhop.returncode == 0


def test_a_signal_that_comes_while_the_command_starts_is_not_lost(
    spawner: Spawner, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = foreground._start

    def late(command: Command, mark: str) -> subprocess.Popen[bytes]:
        started = start(command, mark)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.01)  # by then Python has called the handler
        return started

    monkeypatch.setattr(foreground, "_start", late)
    assert spawner.foreground(sh("while :; do /bin/sleep 0.02; done")) == 128 + signal.SIGTERM


def test_what_a_command_in_the_foreground_dies_of_is_its_status(spawner: Spawner) -> None:
    assert spawner.foreground(sh("kill -9 $$")) == 137
    with pytest.raises(UsageError, match="cannot run '/nowhere'"):
        spawner.foreground(command("/nowhere"))


def test_what_a_command_in_the_foreground_leaves_is_ended(spawner: Spawner, tmp_path: Path) -> None:
    file = tmp_path / "pid"
    assert spawner.foreground(sh(f"/bin/sleep 60 & echo $! > {file}")) == 0
    assert eventually(lambda: not alive(int(file.read_text())))
