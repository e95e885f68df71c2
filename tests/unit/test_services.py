"""Services beside the cells, against real processes: small scripts stand for databases."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from waiting import alive, eventually

import djhop
from djhop.errors import Interrupted
from djhop.matrix.service import Service
from djhop.processes import background, marks, process
from djhop.processes.process import Spawner
from djhop.services import running
from djhop.services.running import ServiceError, free_port
from djhop.services.services import Services

#: Serves as long as it runs: its pid is in its folder, which is what `READY` looks for.
SERVE = "echo $$ > pid; echo serving; exec sleep 60"
READY = ("test", "-s", "{service}/pid")
#: Takes half a second to end when it is asked to.
SLOW = """
import signal, sys, time
def end(*_):
    time.sleep(0.5)
    open(sys.argv[1], "w").close()
    sys.exit()
signal.signal(signal.SIGTERM, end)
open("pid", "w").write("1")
time.sleep(60)
"""
PATH = {"PATH": "/usr/bin:/bin"}

Make = Callable[..., Services]


def sh(script: str) -> tuple[str, ...]:
    return ("sh", "-c", script)


@pytest.fixture
def runs() -> Spawner:
    return Spawner()


@pytest.fixture
def make(tmp_path: Path, runs: Spawner, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Make the services of a run whose folders are below `tmp_path`; they are ended."""
    monkeypatch.setattr(running, "AGAIN", 0.3)
    monkeypatch.setattr(background, "GRACE", 1.0)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    made: list[Services] = []

    def go(environ: dict[str, str] | None = None, **wanted: Service) -> Services:
        services = Services(
            wanted,
            environ=PATH | (environ or {}),
            target=str(tmp_path),
            logs=tmp_path / "logs",
            runs=runs,
            registry=tmp_path / "running",
        )
        made.append(services)
        return services

    yield go
    for services in made:
        services.stop()


def folder(tmp_path: Path) -> Path:
    (found,) = (tmp_path / "tmp").iterdir()
    return found


def pid(tmp_path: Path) -> int:
    return int((folder(tmp_path) / "pid").read_text())


def nothing_left(tmp_path: Path) -> bool:
    return not [*(tmp_path / "tmp").iterdir(), *(tmp_path / "running").iterdir()]


@pytest.mark.parametrize(
    "start",
    [
        sh(SERVE),
        sh(f"sh -c '{SERVE}' & sleep 0.2"),
        ("setsid", "--fork", *sh(SERVE)),
        'sh -c "echo $$ > pid; echo serving; exec sleep 60"',
    ],
    ids=["foreground", "in its group", "a daemon", "a text"],
)
def test_it_is_started_and_ended(make: Make, tmp_path: Path, start: str | tuple[str, ...]) -> None:
    services = make(db=Service(start=start, ready=READY))
    services.env()
    leader = pid(tmp_path)
    assert eventually(lambda: "serving" in (tmp_path / "logs/db.txt").read_text())
    assert alive(leader)
    assert services.gone() is None
    services.stop()
    assert not alive(leader)
    assert nothing_left(tmp_path)


def test_what_stays_when_asked_to_end_is_killed(make: Make, tmp_path: Path) -> None:
    start = sh("trap '' TERM; echo $$ > pid; while :; do sleep 1; done")
    services = make(db=Service(start=start, ready=READY))
    services.env()
    leader = pid(tmp_path)
    services.stop()
    assert not alive(leader)


def test_cells_find_it_by_its_variables(make: Make, tmp_path: Path) -> None:
    url = "db://127.0.0.1:{port}/{database}?at={service}&of={target}"
    services = make(
        db=Service(start=sh(SERVE), ready=READY, env={"URL": url, "A": "db"}),
        mail=Service(start=sh('echo "$URL $A $HOME"; exec sleep 60'), ready="true", env={"A": "m"}),
    )
    env = services.env()
    port = env["URL"].split(":")[2].split("/")[0]
    assert 1024 < int(port) < 65536
    at = next(path for path in (tmp_path / "tmp").iterdir() if "-db-" in path.name)
    # What belongs to a cell is filled in for each cell.
    assert env == {"URL": f"db://127.0.0.1:{port}/{{database}}?at={at}&of={tmp_path}", "A": "m"}
    log = tmp_path / "logs/mail.txt"
    assert eventually(lambda: log.read_text().count("\n") == 2)
    assert log.read_text().splitlines()[1].startswith(" m /")


def test_it_is_started_once_for_all_cells(make: Make, tmp_path: Path) -> None:
    services = make(db=Service(start=sh(f"echo >> {tmp_path}/starts; {SERVE}"), ready=READY))
    assert not (tmp_path / "starts").exists()
    cells = [threading.Thread(target=services.env) for _ in range(8)]
    for cell in cells:
        cell.start()
    for cell in cells:
        cell.join()
    assert (tmp_path / "starts").read_text() == "\n"


def test_it_is_waited_for(make: Make, tmp_path: Path) -> None:
    services = make(db=Service(start=sh(f"sleep 0.5; {SERVE}"), ready=READY))
    services.env()
    assert alive(pid(tmp_path))


@pytest.mark.parametrize(
    ("service", "how", "more"),
    [
        (
            Service(start=sh("echo a; echo no room; exit 3"), ready="false"),
            "ended with 3",
            ["no room"],
        ),
        # Somebody else answers on its port.
        (Service(start=sh("sleep 0.1; exit 1"), ready=sh("sleep 0.5")), "ended with 1", []),
        (Service(start=sh("kill -9 $$"), ready="false"), "ended with -9", []),
        (
            Service(start=sh(SERVE), ready=sh("echo not yet; exit 2"), ready_timeout=0.5),
            "was not ready within 0.5 s",
            ["sh -c 'echo not yet; exit 2': ended with 2", "not yet", "serving"],
        ),
        (
            Service(start=sh(SERVE), ready="sleep 60", ready_timeout=0.5),
            "was not ready within 0.5 s",
            ["sleep 60: took too long"],
        ),
        (
            Service(start=("/no/such/program",), ready="true"),
            "cannot be started: No such file or directory",
            [],
        ),
        (
            Service(start=sh(SERVE), ready="/no/such/program"),
            "cannot be asked whether it is ready",
            ["/no/such/program: ended with 127"],
        ),
        (
            Service(start=sh(SERVE), ready="true", prepare=("true", "sh -c 'echo bad; exit 4'")),
            "is not prepared: `sh -c 'echo bad; exit 4'` ended with 4",
            ["bad"],
        ),
    ],
)
def test_what_does_not_start(
    make: Make, tmp_path: Path, service: Service, how: str, more: list[str]
) -> None:
    services = make(db=service)
    for _ in range(2):  # whoever asks again is told the same
        with pytest.raises(ServiceError) as caught:
            services.env()
        first, *rest = str(caught.value).splitlines()
        assert first == f"the service 'db' {how}"
        assert set(more) <= set(rest)
    services.stop()
    assert nothing_left(tmp_path)


def test_a_daemon_has_as_long_to_end_as_another(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marks, "PATIENCE", 0.05)
    monkeypatch.setattr(background, "GRACE", 5.0)
    start = ("setsid", "--fork", sys.executable, "-S", "-c", SLOW, str(tmp_path / "ended"))
    services = make(db=Service(start=start, ready=READY))
    services.env()
    services.stop()
    assert (tmp_path / "ended").exists()


def test_its_own_command_ends_it(make: Make, tmp_path: Path) -> None:
    stop = sh(f"kill $(cat {{service}}/pid); echo {{port}} > {tmp_path}/stopped")
    services = make(db=Service(start=sh(SERVE), ready=READY, stop=stop, env={"P": "{port}"}))
    port = services.env()["P"]
    services.stop()
    assert (tmp_path / "stopped").read_text() == f"{port}\n"


def test_its_own_command_may_wait_for_its_end(make: Make, tmp_path: Path) -> None:
    wait = "kill $(cat {service}/pid); while kill -0 $(cat {service}/pid); do sleep 0.05; done"
    services = make(db=Service(start=sh(SERVE), ready=READY, stop=sh(wait)))
    services.env()
    started = time.monotonic()
    services.stop()
    assert time.monotonic() - started < 5


def test_an_interrupt_leaves_it_to_the_cells_and_to_its_own_command(
    make: Make, tmp_path: Path, runs: Spawner
) -> None:
    services = make(db=Service(start=sh(SERVE), ready=READY, stop=sh(f"echo > {tmp_path}/stopped")))
    services.env()
    leader = pid(tmp_path)
    runs.interrupt()
    assert alive(leader)
    services.stop()
    assert (tmp_path / "stopped").exists()
    assert not alive(leader)


def test_a_second_interrupt_does_not_wait_for_its_own_command(
    make: Make, tmp_path: Path, runs: Spawner
) -> None:
    services = make(db=Service(start=sh(SERVE), ready=READY, stop="sleep 60"))
    services.env()
    leader = pid(tmp_path)
    runs.interrupt()
    runs.interrupt()
    started = time.monotonic()
    services.stop()
    assert time.monotonic() - started < 10
    assert not alive(leader)


def test_an_interrupt_while_it_starts(make: Make, tmp_path: Path, runs: Spawner) -> None:
    services = make(db=Service(start=sh(SERVE), ready="false"))
    threading.Timer(0.3, runs.interrupt).start()
    started = time.monotonic()
    with pytest.raises(Interrupted):
        services.env()
    assert time.monotonic() - started < 10
    services.stop()
    assert nothing_left(tmp_path)


@pytest.mark.parametrize("start", [sh(SERVE), ("setsid", "--fork", *sh(SERVE))])
def test_one_that_is_gone_is_said(make: Make, tmp_path: Path, start: tuple[str, ...]) -> None:
    ready = sh("grep -q 'State:.[RS]' /proc/$(cat {service}/pid)/status")
    services = make(db=Service(start=start, ready=ready))
    services.env()
    leader = pid(tmp_path)
    os.kill(leader, signal.SIGKILL)
    assert eventually(lambda: not alive(leader))
    gone = services.gone()
    assert gone is not None
    assert ("ended with -9" in str(gone)) == (start[0] == "sh")
    assert ("does not answer any more" in str(gone)) == (start[0] == "setsid")
    with pytest.raises(ServiceError):
        services.env()


def test_its_log_is_masked(make: Make, tmp_path: Path) -> None:
    service = Service(
        start=sh('echo "pass: $PGPASSWORD"; exit 1'), ready="false", env={"PGPASSWORD": "hunter22"}
    )
    services = make(db=service)
    with pytest.raises(ServiceError) as caught:
        services.env()
    services.stop()
    assert "pass: ****" in str(caught.value)
    assert (tmp_path / "logs/db.txt").read_text().endswith("pass: ****\n")


def test_of_a_huge_log_the_end_is_shown(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "LOG_END", 30)
    script = "seq 1000; echo hunter2hunter2; echo hunter2hunter2; echo the last; exit 3"
    services = make({"API_KEY": "hunter2hunter2"}, db=Service(start=sh(script), ready="false"))
    with pytest.raises(ServiceError) as caught:
        services.env()
    said = str(caught.value).splitlines()
    assert said[0] == "the service 'db' ended with 3"
    # The line that lies half before it is not shown: it may be half a secret.
    assert said[2:-1] == ["****", "the last"]


def test_variables_that_no_process_can_have(make: Make) -> None:
    services = make(db=Service(start="sleep 60", ready="true", env={"A": "\0"}))
    with pytest.raises(ServiceError, match="'db' cannot be started: embedded null byte"):
        services.env()


def test_no_services_cost_nothing(make: Make, tmp_path: Path) -> None:
    services = make()
    assert services.env() == {}
    assert services.gone() is None
    services.stop()


def test_a_free_port_can_be_listened_on() -> None:
    import socket

    with socket.socket() as one:
        one.bind(("127.0.0.1", free_port()))


KILLED = """
    import os, signal, sys
    from pathlib import Path
    from djhop.matrix.service import Service
    from djhop.processes.process import Spawner
    from djhop.services.services import Services
    at = Path(sys.argv[1])
    services = Services(
        {"db": Service(start=tuple(sys.argv[2:]), ready=("test", "-s", "{service}/pid"))},
        environ={"PATH": "/usr/bin:/bin"}, target="/", logs=at / "logs", runs=Spawner(),
        registry=at / "running",
    )
    services.env()
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(
    "start", [sh(SERVE), ("setsid", "--fork", *sh(SERVE))], ids=["foreground", "a daemon"]
)
def test_the_service_of_a_killed_djhop_is_ended_by_the_next(
    tmp_path: Path, start: tuple[str, ...]
) -> None:
    (tmp_path / "tmp").mkdir()
    src = str(Path(djhop.__file__).parents[1])
    env = {"PYTHONPATH": src, "TMPDIR": str(tmp_path / "tmp"), **PATH}
    code = textwrap.dedent(KILLED)
    done = subprocess.run([sys.executable, "-c", code, tmp_path, *start], env=env, check=False)
    assert done.returncode == -signal.SIGKILL
    leader = pid(tmp_path)
    kept = folder(tmp_path)
    assert alive(leader)
    ended = process.reap_leftovers(tmp_path / "running")
    assert [line for line in ended if "sleep 60" in line]
    assert not alive(leader)
    assert not kept.exists()
    assert nothing_left(tmp_path)


def test_no_other_folder_is_ever_removed(tmp_path: Path) -> None:
    """A record that names another folder than one made for a service."""
    from djhop.processes import leftovers
    from djhop.processes.identity import place

    precious = tmp_path / "precious"
    precious.mkdir()
    group = leftovers.Group(
        pid=0, started="", owner=1, owner_started="gone", argv=(), place=place(), mark="none"
    )
    registry = tmp_path / "running"
    registry.mkdir()
    record = leftovers.msgspec.structs.replace(group, folder=str(precious))
    (registry / "1-x.json").write_bytes(leftovers.msgspec.json.encode(record))
    assert leftovers.reap(registry) == []
    assert precious.exists()
    assert not list(registry.iterdir())
