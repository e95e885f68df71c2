"""Locks with real uv and real packages: what moves on a path, what blocks it, what it costs."""

from __future__ import annotations

import http.server
import os
import subprocess
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import uv
from packaging.version import Version

from djhop.errors import InfraError
from djhop.interpreters import interpreters
from djhop.interpreters.interpreters import Interpreter
from djhop.processes.process import Command, Completed, Spawner
from djhop.resolve import resolve
from djhop.resolve.locks import Lock
from djhop.resolve.resolve import Request, Unresolvable

pytestmark = pytest.mark.integration

#: A project of 2021.
PROJECT = (
    "Django>=2.2,<3",
    "django-celery-beat==2.2.1",
    "djangorestframework==3.12.4",
    "celery==5.0.5",
    "django-filter==2.4.0",
)
SHOP = ("Django~=3.2.0", "django-oscar==3.2.4", "django-celery-beat==2.2.1")
#: Late enough for the projects' pins, too early for any release of theirs that allows Django 5.2.
THEN = "2024-05-01"
ENVIRON = {k: v for k, v in os.environ.items() if not k.startswith(("UV_", "PYTHON"))}


class Counting:
    """The real spawner, and what it ran."""

    def __init__(self) -> None:
        self.spawner = Spawner()
        self.ran: list[Completed] = []

    def run(self, command: Command) -> Completed:
        self.ran.append(self.spawner.run(command))
        return self.ran[-1]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Interpreter]:
    def ask(path: str) -> str:
        argv = interpreters.question(path)
        try:
            return subprocess.run(argv, capture_output=True, text=True, check=False).stdout
        except OSError:
            return ""

    folder = tmp_path_factory.mktemp("interpreters")
    return interpreters.find(environ=os.environ, cache=folder, query=ask)


Lay = Callable[..., "tuple[Lock | Unresolvable, Counting]"]


@pytest.fixture
def lay(found: dict[str, Interpreter], tmp_path: Path) -> Lay:
    def go(
        requirements: tuple[str, ...],
        django: str,
        python: str,
        previous: Lock | None = None,
        env: dict[str, str] | None = None,
        offline: bool = False,
        **more: object,
    ) -> tuple[Lock | Unresolvable, Counting]:
        if python not in found:
            pytest.skip(f"no Python {python} here")
        counting = Counting()
        request = Request(
            requirements=requirements,
            django=django,
            python=python,
            python_release=found[python].release,
            interpreter_path=str(found[python].path),
            interpreter_key=found[python].key,
            **more,  # type: ignore[arg-type]
        )
        answer = resolve.resolve(
            request,
            previous=previous,
            cache=tmp_path / "cache",
            spawner=counting,
            uv=uv.find_uv_bin(),
            uv_env={**ENVIRON, **(env or {})},
            cwd=str(tmp_path),
            offline=offline,
            sleep=lambda _: None,
        )
        return answer, counting

    return go


def lock_of(laid: tuple[Lock | Unresolvable, Counting]) -> Lock:
    assert isinstance(laid[0], Lock), laid[0]
    return laid[0]


def blocked(laid: tuple[Lock | Unresolvable, Counting]) -> Unresolvable:
    assert isinstance(laid[0], Unresolvable), laid[0]
    return laid[0]


def moved(before: Lock, after: Lock) -> set[str]:
    return {move.package for move in resolve.diff(before, after)}


def test_a_path_moves_only_what_must_move(lay: Lay) -> None:
    suite = {"suite_packages": ("pytest", "pytest-django")}
    first = lock_of(lay(PROJECT, "2.2", "3.8", **suite))
    assert first.django_release == "2.2.28"
    assert first.packages["django-celery-beat"] == "2.2.1"
    second = lock_of(lay(PROJECT, "3.2", "3.8", first, **suite))
    assert moved(first, second) == {"django", "asgiref"}
    assert second.processes == 1
    third = lock_of(lay(PROJECT, "3.2", "3.10", second, **suite))
    assert moved(second, third) <= {"backports-zoneinfo", "tzdata", "typing-extensions"}
    fourth = lock_of(lay(PROJECT, "4.2", "3.10", third, **suite))
    why = {move.package: move.why for move in resolve.diff(third, fourth)}
    assert why["django-celery-beat"] == "django-celery-beat 2.2.1 requires django>=2.2,<4.0"
    assert "celery" in why, "the newer beat needs a newer celery"
    assert fourth.packages["djangorestframework"] == "3.12.4"
    assert fourth.packages["django-filter"] == "2.4.0"
    assert not fourth.forced
    last = lock_of(lay(PROJECT, "5.2", "3.10", fourth, **suite))
    assert moved(fourth, last) <= {"django", "asgiref", "sqlparse"}
    # What resolving afresh would change in the same two steps.
    fresh = lock_of(lay(PROJECT, "5.2", "3.10", fourth, policy="latest", **suite))
    assert len(moved(fourth, fresh)) > 5 * len(moved(fourth, last))
    for before, after in ((first, second), (third, fourth), (fourth, last)):
        old = before.packages
        sunk = [n for n, v in after.packages.items() if n in old and Version(v) < Version(old[n])]
        assert sunk == []


def test_the_reason_is_what_uv_says(
    lay: Lay, tmp_path: Path, found: dict[str, Interpreter]
) -> None:
    before = lock_of(lay(SHOP, "4.2", "3.10"))
    after, counting = lay(SHOP, "5.2", "3.10", before)
    assert isinstance(after, Lock)
    asked = tmp_path / "plain.in"
    asked.write_text("django==5.2.*\ndjango-oscar==3.2.4\n")
    argv = [uv.find_uv_bin(), "pip", "compile", str(asked), "-p", str(found["3.10"].path)]
    plain = subprocess.run(argv, env=ENVIRON, capture_output=True, text=True, check=False).stderr
    assert "django-oscar==3.2.4 depends on django>=3.2,<4.3" in " ".join(plain.split())
    assert after.moves_why["django-oscar"] == "django-oscar 3.2.4 requires django>=3.2,<4.3"
    assert (after.forced, after.processes, len(counting.ran)) == (False, 2, 2)
    again, counting = lay(SHOP, "5.2", "3.10", before)
    assert (again, counting.ran) == (after, [])


def test_all_blockers_are_found_and_the_lock_is_forced(lay: Lay) -> None:
    before = lock_of(lay(SHOP, "3.2", "3.10", exclude_newer=THEN))
    after = lock_of(lay(SHOP, "5.2", "3.10", before, exclude_newer=THEN))
    assert after.forced
    assert sorted(blocker.reason for blocker in after.blockers) == [
        "django-celery-beat 2.2.1 requires django>=2.2,<4.0",
        "django-oscar 3.2.4 requires django>=3.2,<4.3",
    ]
    assert moved(before, after) <= {"django", "asgiref", "sqlparse", "pytz"}
    assert any("its date is free" in note for note in after.notes)


def test_a_transitive_cap_of_an_unpinned_package_never_sinks(lay: Lay) -> None:
    before = lock_of(lay(("django-oscar",), "3.2", "3.10", exclude_newer=THEN))
    after = lock_of(lay(("django-oscar",), "5.2", "3.10", before, exclude_newer=THEN))
    assert after.packages["django-oscar"] == before.packages["django-oscar"]
    assert after.forced


def test_frozen_moves_django_alone(lay: Lay) -> None:
    before = lock_of(lay(SHOP, "3.2", "3.10"))
    after = lock_of(lay(SHOP, "5.2", "3.10", before, policy="frozen"))
    assert after.forced
    assert moved(before, after) <= {"django", "asgiref", "sqlparse", "pytz", "typing-extensions"}


@pytest.mark.parametrize(
    ("requirements", "django", "python", "kind", "reason"),
    [
        ((), "6.0", "3.10", "python", "Django 6.0 requires Python>=3.12, not 3.10"),
        ((), "2028", "3.12", "conflict", "there is no release of Django 2028"),
        (("ipython>=8.20",), "4.2", "3.8", "python", "ipython"),
        (("foo==",), "5.2", "3.12", "requirement", "a requirement cannot be read: foo=="),
    ],
)  # fmt: skip
def test_what_cannot_be(
    lay: Lay, requirements: tuple[str, ...], django: str, python: str, kind: str, reason: str
) -> None:
    answer = blocked(lay(requirements, django, python))
    assert answer.kind == kind
    assert answer.reason.startswith(reason)
    assert answer.processes == 1


def test_a_url_that_answers_404(lay: Lay) -> None:
    class Nothing(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(404)

        def do_HEAD(self) -> None:
            self.send_error(404)

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Nothing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/foo-1.tar.gz"
        answer = blocked(lay((f"foo @ {url}",), "5.2", "3.12"))
        server.shutdown()
    assert answer.kind == "missing"
    assert answer.reason.startswith("foo is not at its URL")


def test_nothing_but_django_is_fine(lay: Lay) -> None:
    lock = lock_of(lay((), "5.2", "3.12"))
    assert lock.via["django"] == ("the hop",)
    assert set(lock.packages) == {"django", "asgiref", "sqlparse"}
    assert lock.hashes.keys() == lock.packages.keys()


def test_the_written_file_installs_with_hashes(
    lay: Lay, tmp_path: Path, found: dict[str, Interpreter]
) -> None:
    lock = lock_of(lay(("djangorestframework==3.12.4",), "3.2", "3.10"))
    written = tmp_path / "requirements.txt"
    written.write_text(resolve.requirements_text(lock))
    for argv in (
        ("venv", "-q", "-p", str(found["3.10"].path), str(tmp_path / "venv")),
        ("pip", "sync", "-q", "--require-hashes", "-p", str(tmp_path / "venv"), str(written)),
    ):
        done = subprocess.run(
            [uv.find_uv_bin(), *argv], env=ENVIRON, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


def test_a_build_that_fails_says_why_and_where_the_log_is(lay: Lay, tmp_path: Path) -> None:
    package = tmp_path / "broken"
    package.mkdir()
    (package / "setup.py").write_text("raise RuntimeError('no libfoo; https://me:s3cret@host/')")
    answer = blocked(lay(("broken @ ./broken",), "5.2", "3.12"))
    assert (answer.kind, answer.reason) == ("build", "broken cannot be built on Python 3.12")
    assert answer.text.splitlines()[-1].strip() == "RuntimeError: no libfoo; https://****@host/"
    log = Path(answer.log).read_text(encoding="utf-8")
    assert "Traceback" in log
    assert "s3cret" not in log


def test_an_index_that_does_not_answer_is_no_verdict(lay: Lay, tmp_path: Path) -> None:
    env = {
        "UV_DEFAULT_INDEX": "http://me:s3cret@127.0.0.1:9/simple",
        "UV_CACHE_DIR": str(tmp_path / "uv"),
        "UV_HTTP_RETRIES": "0",
    }
    with pytest.raises(InfraError, match="does not answer") as caught:
        lay(("six",), "5.2", "3.12", env=env)
    assert "s3cret" not in str(caught.value)
    with pytest.raises(InfraError, match="offline, and uv's cache lacks"):
        lay(("six",), "5.2", "3.12", env=env, offline=True)


def test_credentials_of_a_url_reach_the_pins_and_no_file(lay: Lay, tmp_path: Path) -> None:
    wheel = tmp_path / "thing-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        about = "thing-1.0.dist-info"
        archive.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")
    server = subprocess.Popen(
        ["python3", "-u", "-m", "http.server", "--bind", "127.0.0.1", "0"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        assert server.stdout is not None
        port = server.stdout.readline().split(" port ")[1].split()[0]
        url = f"http://me:s3cret@127.0.0.1:{port}/{wheel.name}"
        first = lock_of(lay((f"thing @ {url}",), "5.2", "3.12"))
        again, counting = lay((f"thing @ {url}",), "5.2", "3.12")
    finally:
        server.kill()
        server.communicate()
    assert f"thing @ {url}" in first.pins
    assert (again, counting.ran) == (first, [])
    kept = [p for p in (tmp_path / "cache").rglob("*") if p.is_file()]
    assert kept
    assert all(b"s3cret" not in p.read_bytes() for p in kept)
