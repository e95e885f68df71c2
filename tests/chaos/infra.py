"""Index, disk, memory and clock fail in every way we know: `infra`, never a break or a green.

The index is one on loopback, with empty packages called Django; so cells are installed, not tested.
File systems that are full or read-only are mounted in a namespace of their own.
"""

from __future__ import annotations

import hashlib
import http.server
import io
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chaos.site import OURS, ROOT

#: What the index does instead of what it should; each is seen by both cells, or by the second.
INDEX = ("down", "dns", "slow", "500", "reset", "truncated", "mismatch", "404")
#: What happens to a folder: its name, its mount's options, and whether it becomes read-only.
DISKS = {
    "cache full": ("cache", "size=400k", False),
    "cache read-only": ("cache", "size=64m", True),
    "runs full": ("reports", "size=16k", False),
    "runs read-only": ("reports", "size=64m", True),
}
#: Bytes of address space: too few for uv's threads, enough for Python.
MEMORY = 200_000_000
JUMPS = """
import random, time
real, chance = time.time, random.Random(1)
time.time = lambda: real() + chance.choice((-86400, 0, 3600))
"""
SERIES = ("4.2", "5.2")
MATRIX = (
    'from = "4.2"\nto = "5.2"\nsteps = ["4.2", "5.2"]\npython = "3.12"\ninstall-project = "never"\n'
)


def wheel(name: str, version: str) -> bytes:
    """A wheel of nothing."""
    about = f"{name}-{version}.dist-info"
    files = {
        f"{name}/__init__.py": f"VERSION = {version!r}\n" + "#" * 200_000,
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{file},,\n" for file in (*files, f"{about}/RECORD"))
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for file, text in {**files, f"{about}/RECORD": record}.items():
            archive.writestr(file, text)
    return data.getvalue()


class Handler(http.server.BaseHTTPRequestHandler):
    """Gives the files, or does what the fault says."""

    server: Index

    def do_GET(self) -> None:
        name, fault = self.path.rpartition("/")[2], self.server.fault
        if fault == "slow":
            self.server.over.wait(20)
            return
        if fault == "500":
            self.send_error(500)
            return
        if name in self.server.files:
            self._file(self.server.files[name], fault if "-5.2" in name else "")
        elif self.path.strip("/") in ("simple/django", "simple/coverage"):
            self._listing(name or self.path.split("/")[-2])
        else:
            self.send_error(404)

    def do_HEAD(self) -> None:
        name = self.path.rpartition("/")[2]
        self._head(len(self.server.files.get(name, b"")), "application/zip")

    def _listing(self, package: str) -> None:
        lines = []
        for name, data in self.server.files.items():
            if not name.startswith(package):
                continue
            wrong = self.server.fault == "mismatch" and "-5.2" in name
            digest = "0" * 64 if wrong else hashlib.sha256(data).hexdigest()
            lines.append(f'<a href="/files/{name}#sha256={digest}">{name}</a><br>')
        body = "\n".join(lines).encode()
        self._head(len(body), "text/html")
        self.wfile.write(body)

    def _file(self, data: bytes, fault: str) -> None:
        if fault == "404":
            self.send_error(404)
            return
        self._head(len(data), "application/zip")
        if fault not in ("reset", "truncated"):
            self.wfile.write(data)
            return
        self.wfile.write(data[: len(data) // 2])
        if fault == "reset":
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()
        self.close_connection = True

    def _head(self, length: int, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


class Index(http.server.ThreadingHTTPServer):
    """An index with Django 4.2.1 and 5.2.1, both empty."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = {f"django-{s}.1-py3-none-any.whl": wheel("django", f"{s}.1") for s in SERIES}
        # What djhop itself puts beside each environment.
        self.files["coverage-7.99-py3-none-any.whl"] = wheel("coverage", "7.99")
        self.fault, self.over = "", threading.Event()

    def handle_error(self, *_: object) -> None:
        """A client that is refused goes away."""

    @property
    def url(self) -> str:
        """Where it is, or is not."""
        match self.fault:
            case "down":
                return "http://127.0.0.1:9/simple"
            case "dns":
                return "http://no-such-host.invalid/simple"
        return f"http://127.0.0.1:{self.server_port}/simple"


@contextmanager
def serving() -> Iterator[Index]:
    """Have an index that is asked."""
    with Index() as index:
        threading.Thread(target=index.serve_forever, daemon=True).start()
        yield index
        index.over.set()
        index.shutdown()


class Place:
    """A target, and djhop on it with a cache, runs and temporary files of its own."""

    def __init__(self, base: Path, index: Index) -> None:
        self.base, self.index = base, index
        self.target = base / "target"
        self.target.mkdir(parents=True)
        for name in ("cache", "reports", "tmp"):
            (base / name).mkdir()
        (self.target / "requirements.txt").write_text("Django\n")
        (self.target / "manage.py").write_text("import django\n")
        (self.target / "djhop.toml").write_text(
            MATRIX + 'test = ["manage.py", "test"]\nsettings = "s"\n'
        )

    def run(self, *before: str, **env: str) -> tuple[int, str]:
        """Run djhop to its end; return its exit code and what it said."""
        clean = {name: value for name, value in os.environ.items() if not OURS.match(name)}
        clean = {name: value for name, value in clean.items() if not name.startswith("UV_")}
        ours = {
            "DJHOP_CACHE": str(self.base / "cache"),
            "TMPDIR": str(self.base / "tmp"),
            "UV_CACHE_DIR": str(self.base / "uv"),
            "UV_DEFAULT_INDEX": self.index.url,
            "UV_HTTP_RETRIES": "0",
            "UV_HTTP_TIMEOUT": "2",
            "PYTHONPATH": str(ROOT / "src"),
        }
        argv = [*before, sys.executable, "-m", "djhop", "run", str(self.target), "--install-only"]
        done = subprocess.run(
            [*argv, "--out", str(self.base / "reports"), "--install-python", "never"],
            env={**clean, **ours, **env},
            cwd=self.base,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        said = done.stdout + done.stderr
        assert "internal error" not in said, said
        return done.returncode, said

    def statuses(self) -> list[str]:
        """Of the cells of the last run; none where it left no run."""
        found = sorted((self.base / "reports").glob("2*/run.json"))
        if not found:
            return []
        run = json.loads(found[-1].read_bytes())
        assert {hop["verdict"] for hop in run["hops"]} <= {"unknown", "blocked", "not-run"}, run
        return [cell["status"] for cell in run["cells"]]


def index_fails(base: Path, fault: str) -> None:
    """With the fault the cells are `infra` and the run is incomplete; without it all is well."""
    with serving() as index:
        place = Place(base, index)
        index.fault = fault
        code, said = place.run()
        statuses = place.statuses()
        assert (code, statuses[-1]) == (4, "infra"), (fault, code, statuses, said)
        assert statuses[0] in ("infra", "not-run"), (fault, statuses, said)
        index.fault = ""
        shutil.rmtree(base / "uv", ignore_errors=True)
        code, said = place.run()
        assert (code, place.statuses()) == (0, ["not-run", "not-run"]), (fault, code, said)


def disk_fails(base: Path, fault: str) -> None:
    """A folder is full, or cannot be written: the run is incomplete, and its cells `infra`."""
    name, options, read_only = DISKS[fault]
    with serving() as index:
        place = Place(base, index)
        folder = base / name
        mounts = f'mount -t tmpfs -o {options} none "$0"'
        mounts += ' && mount -o remount,ro,bind "$0"' if read_only else ""
        shell = ("unshare", "-rm", "sh", "-c", f'{mounts} && exec "$@"', str(folder))
        code, said = place.run(*shell)
        assert code == 4, (fault, code, said)
        assert not {"passed", "failed", "not-run"} & {*place.statuses()}, (fault, said)
        assert place.run()[0] == 0, fault


def memory_fails(base: Path) -> None:
    """Too little memory for uv: nobody's break."""
    with serving() as index:
        place = Place(base, index)
        code, said = place.run("prlimit", f"--as={MEMORY}")
        assert code == 4, (code, said)
        assert place.run()[0] == 0


def clock_jumps(base: Path) -> None:
    """The time of day goes back a day and on an hour, at every look: nothing changes."""
    with serving() as index:
        place = Place(base, index)
        (base / "site").mkdir()
        (base / "site" / "sitecustomize.py").write_text(JUMPS)
        path = os.pathsep.join((str(base / "site"), str(ROOT / "src")))
        for _ in range(2):
            code, said = place.run(PYTHONPATH=path)
            assert (code, place.statuses()) == (0, ["not-run", "not-run"]), (code, said)


def run(base: Path, seed: int, times: int) -> str:
    """Try every fault `times` times."""
    for number in range(times):
        for fault in INDEX:
            index_fails(base / f"{number}-{fault}", fault)
        for fault in DISKS:
            disk_fails(base / f"{number}-{fault.replace(' ', '-')}", fault)
        memory_fails(base / f"{number}-memory")
        clock_jumps(base / f"{number}-clock")
    faults = len(INDEX) + len(DISKS) + 2
    return f"{faults * times} faults of index, disk, memory and clock: none was a break or a green"
