"""Indexes that fail, refuse, hang or want a password: never a verdict, and never in a file."""

from __future__ import annotations

import base64
import http.server
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from locking import ENVIRON, Lay, blocked, lock_of

from djhop.errors import InfraError

SECRET = "s3cret-of-the-index"


class Index(http.server.ThreadingHTTPServer):
    """An index on this machine with one package, "thing"; everything else is not there."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder = folder
        #: What is answered instead, so many times (-1: always).
        self.status, self.times = 0, 0
        self.hangs = threading.Event()
        #: "user:password", or "" for everybody.
        self.login = ""
        self.asked = 0

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Index

    def do_GET(self) -> None:
        index = self.server
        index.asked += 1
        if index.status == -1:
            index.hangs.wait(30)
            return
        if index.status and index.times:
            index.times -= 1
            self.send_error(index.status)
            return
        login = f"Basic {base64.b64encode(index.login.encode()).decode()}"
        if index.login and self.headers.get("Authorization") != login:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="index"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self._give(self.path.strip("/"))

    def do_HEAD(self) -> None:
        self.do_GET()

    def _give(self, path: str) -> None:
        wheel = "thing-1.0-py3-none-any.whl"
        if path == "simple/thing":
            body, kind = f'<a href="/files/{wheel}">{wheel}</a>'.encode(), "text/html"
        elif path == f"files/{wheel}":
            body, kind = (self.server.folder / wheel).read_bytes(), "application/zip"
        else:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    folder = tmp_path / "index"
    folder.mkdir()
    with zipfile.ZipFile(folder / "thing-1.0-py3-none-any.whl", "w") as archive:
        about = "thing-1.0.dist-info"
        archive.writestr("thing.py", "")
        archive.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(
            f"{about}/RECORD",
            f"thing.py,,\n{about}/METADATA,,\n{about}/WHEEL,,\n{about}/RECORD,,\n",
        )
    with Index(folder) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.hangs.set()
        server.shutdown()


def alone(index: Index, **more: str) -> dict[str, str]:
    """The environment in which this index is the only one, and uv tries once."""
    return {
        "UV_DEFAULT_INDEX": f"http://me:{SECRET}@{index.host}/simple",
        "UV_CACHE_DIR": str(index.folder / "uv"),
        "UV_HTTP_RETRIES": "0",
        **more,
    }


@pytest.mark.parametrize("status", [500, 502, 503])
def test_an_index_with_errors_is_asked_thrice_and_is_no_verdict(
    lay: Lay, index: Index, status: int
) -> None:
    index.status, index.times = status, -1
    pauses: list[float] = []
    with pytest.raises(InfraError, match="does not answer") as caught:
        lay(("thing",), "5.2", "3.12", env=alone(index), sleep=pauses.append)
    first, second = pauses
    assert 1.0 <= first <= 1.5
    assert 4.0 <= second <= 6.0
    assert SECRET not in str(caught.value)


def test_an_index_that_hangs_is_no_verdict(lay: Lay, index: Index) -> None:
    index.status = -1
    with pytest.raises(InfraError, match="does not answer"):
        lay(("thing",), "5.2", "3.12", env=alone(index, UV_HTTP_TIMEOUT="1"))


def test_an_index_that_recovers_gives_a_lock(lay: Lay, index: Index, tmp_path: Path) -> None:
    index.status, index.times = 503, 1
    env = {
        "UV_INDEX": f"http://{index.host}/simple",
        "UV_HTTP_RETRIES": "0",
        "UV_CACHE_DIR": str(tmp_path / "uv"),
    }
    lock = lock_of(lay(("thing",), "5.2", "3.12", env=env))
    assert lock.packages["thing"] == "1.0"
    assert index.times == 0


def test_an_index_without_django_is_no_verdict(lay: Lay, index: Index) -> None:
    with pytest.raises(InfraError, match="refuses"):
        lay(("thing",), "5.2", "3.12", env=alone(index))


def test_an_index_that_refuses_the_password_is_no_verdict(lay: Lay, index: Index) -> None:
    index.login = "me:another"
    with pytest.raises(InfraError, match="refuses") as caught:
        lay(("thing",), "5.2", "3.12", env=alone(index))
    assert SECRET not in str(caught.value)
    assert caught.value.hint.startswith("check UV_INDEX")


def test_an_index_that_is_not_there(lay: Lay, tmp_path: Path) -> None:
    env = {
        "UV_DEFAULT_INDEX": f"http://me:{SECRET}@127.0.0.1:9/simple",
        "UV_CACHE_DIR": str(tmp_path / "uv"),
        "UV_HTTP_RETRIES": "0",
    }
    with pytest.raises(InfraError, match="does not answer") as caught:
        lay(("six",), "5.2", "3.12", env=env)
    assert SECRET not in str(caught.value)
    with pytest.raises(InfraError, match="offline, and uv's cache lacks") as caught:
        lay(("six",), "5.2", "3.12", env=env, offline=True)
    assert caught.value.hint == "run once with the network: without --offline and UV_OFFLINE"


def test_a_url_that_answers_404(lay: Lay, index: Index) -> None:
    answer = blocked(lay((f"foo @ http://{index.host}/foo-1.tar.gz",), "5.2", "3.12"))
    assert answer.kind == "missing"
    assert answer.reason == f"foo is not at its URL: http://{index.host}/foo-1.tar.gz"


def test_credentials_of_a_url_reach_the_pins_and_no_file(
    lay: Lay, index: Index, tmp_path: Path
) -> None:
    index.login = f"me:{SECRET}"
    url = f"http://me:{SECRET}@{index.host}/files/thing-1.0-py3-none-any.whl"
    first = lock_of(lay((f"thing @ {url}",), "5.2", "3.12"))
    again, counting = lay((f"thing @ {url}",), "5.2", "3.12")
    assert f"thing @ {url}" in first.pins
    assert (again, counting.ran) == (first, [])
    assert leaks(tmp_path / "cache") == []


@pytest.mark.parametrize("how", ["url", "variables", "netrc"])
def test_a_password_reaches_uv_and_no_file(index: Index, tmp_path: Path, how: str) -> None:
    index.login = f"me:{SECRET}"
    target = tmp_path / "shop"
    target.mkdir()
    (target / "requirements.txt").write_text("Django==5.2.1\nthing\n")
    (target / "settings.py").write_text('SECRET_KEY = "x"\n')
    (target / "manage.py").write_text("import django\n")
    (target / "djhop.toml").write_text('test = ["manage.py", "test"]\nsettings = "settings"\n')
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine 127.0.0.1 login me password {SECRET}\n")
    place = f"http://{index.host}/simple"
    env = {
        "url": {"UV_INDEX": f"http://me:{SECRET}@{index.host}/simple"},
        "variables": {
            "UV_INDEX": f"private={place}",
            "UV_INDEX_PRIVATE_USERNAME": "me",
            "UV_INDEX_PRIVATE_PASSWORD": SECRET,
        },
        "netrc": {"UV_INDEX": place, "NETRC": str(netrc)},
    }[how]
    argv = [sys.executable, "-m", "djhop", "run", str(target), "--cells", "py3.12-django5.2"]
    argv += ["--python", "3.12", "--from", "5.2", "--to", "5.2", "--install-only"]
    argv += ["--out", str(tmp_path / "runs"), "--install-python", "never"]
    source = str(Path(__file__).parents[2] / "src")
    home = {"DJHOP_CACHE": str(tmp_path / "cache"), "PYTHONPATH": source}
    done = subprocess.run(
        argv, env={**ENVIRON, **home, **env}, capture_output=True, text=True, check=False
    )
    assert "installed, as asked" in done.stdout + done.stderr, done.stdout + done.stderr
    assert list((tmp_path / "cache").rglob("thing.py"))
    assert SECRET not in done.stdout + done.stderr
    assert leaks(tmp_path / "runs") + leaks(tmp_path / "cache") == []
    # The same, where it fails.
    index.login = "me:another"
    argv += ["--fresh", "--recreate"]
    failed = subprocess.run(
        argv,
        env={**ENVIRON, **home, **env, "UV_CACHE_DIR": str(tmp_path / "uv")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert failed.returncode == 4, failed.stdout + failed.stderr
    assert SECRET not in failed.stdout + failed.stderr
    assert leaks(tmp_path / "runs") + leaks(tmp_path / "cache") == []


def leaks(folder: Path) -> list[str]:
    """The files that hold the password."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    assert files, folder
    encoded = base64.b64encode(f"me:{SECRET}".encode())
    return [str(p) for p in files if SECRET.encode() in (was := p.read_bytes()) or encoded in was]
