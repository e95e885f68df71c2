"""Environments, the store of bytecode and overlays, with a stand-in for uv: no network."""

from __future__ import annotations

import fcntl
import importlib.util
import json
import os
import py_compile
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from djhop.environments import (
    building,
    bytecode,
    damage,
    environments,
    installer,
    looks,
    made,
    overlay,
)
from djhop.environments.environments import CannotInstall, Environment
from djhop.environments.inside import Inside
from djhop.errors import InfraError, Interrupted
from djhop.interpreters.interpreters import Interpreter
from djhop.processes.process import Command, Spawner

FAKE = r'''#!PYTHON -IS
"""Does what uv would, in so far as djhop can tell; what it is to say stands in answers.json."""
import json, os, sys, time
here, argv = os.path.dirname(os.path.abspath(__file__)), sys.argv[1:]
with open(here + "/calls", "a") as calls:
    calls.write(json.dumps({"argv": argv, "env": dict(os.environ), "cwd": os.getcwd()}) + "\n")
if argv[0] == "cache":
    if os.path.exists(here + "/busy"):
        print("error: Timeout (2s) when waiting for lock on `/c` at `/c/.lock`")
        sys.exit(2)
    sys.exit()
if argv[0] == "venv":
    os.makedirs(argv[-1] + "/lib/python3.12/site-packages")
    os.makedirs(argv[-1] + "/bin")
    os.symlink("PYTHON", argv[-1] + "/bin/python")
    sys.exit()
if os.path.exists(here + "/slow"):
    time.sleep(0.5)
try:
    with open(here + "/answers.json") as file:
        answers = json.load(file)
except FileNotFoundError:
    answers = []
if answers:
    with open(here + "/answers.json", "w") as file:
        json.dump(answers[1:], file)
    if answers[0]["code"]:
        print(answers[0]["output"])
        sys.exit(answers[0]["code"])
def option(name):
    return argv[argv.index(name) + 1] if name in argv else None
site, pins = option("--target"), []
if not site:
    site = os.path.dirname(os.path.dirname(option("--python"))) + "/lib/python3.12/site-packages"
if option("--requirements"):
    with open(option("--requirements")) as file:
        pins = file.read().split("\n")[:-1]
elif "--editable" in argv:
    tree = option("--editable")
    os.makedirs(site)
    with open(site + "/project.pth", "w") as file:
        file.write(tree + "/src\n")
    with open(tree + "/made_by_build.py", "w") as file:
        file.write("x = 1\n")
    os.makedirs(tree + "/project.egg-info")
    open(tree + "/project.egg-info/PKG-INFO", "w").close()
    pins = ["project==1.0"]
elif option("--target"):
    tree = [word for word in argv if word.startswith("/") and "tree" in word]
    os.makedirs(site + "/project")
    open(site + "/project/stale.py", "w").close()
    if tree:
        os.makedirs(site + "/elsewhere")
    pins = ["project==1.0"]
for pin in pins:
    name, _, version = pin.partition(" @ ")[0].partition("==")
    name = name.partition("[")[0]
    source, info = site + "/" + name + ".py", site + "/%s-%s.dist-info" % (name, version or "1")
    if name == "project":
        source = site + "/project/stale.py" if os.path.isdir(site + "/project") else "/dev/null"
    else:
        with open(source, "w") as file:
            file.write("value = %r\n" % pin)
        os.utime(source, (1000000000, 1000000000))
    os.mkdir(info)
    with open(info + "/METADATA", "w") as file:
        file.write("Metadata-Version: 2.1\nName: %s\nVersion: %s\n" % (name, version or "1"))
    with open(info + "/RECORD", "w") as file:
        file.write("%s.py,sha256=%s,%d\n" % (name, pin, os.path.getsize(source)))
'''

NO_NETWORK = """error: Failed to download `six==1.11.0`
  cause: Network connectivity is disabled, but the requested data wasn't found in the cache: https://x
"""
REFUSED = """error: Failed to fetch: http://u:secret@127.0.0.1:9/simple/six/
  cause: error sending request for url (http://127.0.0.1:9/simple/six/)
  cause: tcp connect error
  cause: Connection refused (os error 111)
"""
BUILD = """Using CPython 3.13.0
Resolved 1 package in 134ms
   Building pillow==8.4.0
error: Failed to build `pillow==8.4.0`
  cause: The build backend returned an error
  cause: Call to `setuptools.build_meta.build_wheel` failed (exit status: 1)

         [stderr]
         urllib.error.URLError: connection refused, timed out
         KeyError: '__version__'

hint: Build failures usually indicate a problem with the package or the build environment
"""
OLD_BUILD = """  × Failed to build `pillow==8.4.0`
  ├─▶ The build backend returned an error
  ╰─▶ Call to `setuptools.build_meta:__legacy__.build_wheel` failed (exit status: 1)

      [stdout]
      HTTP status server error (503 Service Unavailable)
"""
NO_EDITABLE = """error: Failed to build `project @ file:///x`
  cause: Call to `setuptools.build_meta:__legacy__.build_editable` failed (exit status: 1)

         [stderr]
         AttributeError: '_BuildMetaLegacyBackend' object has no attribute 'build_editable'
"""
NO_REPOSITORY = """error: Failed to build `project @ file:///x`
  cause: The build backend returned an error

         [stderr]
         LookupError: setuptools-scm was unable to detect version for /x
"""


class Lock(msgspec.Struct, frozen=True):
    pins: tuple[str, ...]


class Fake:
    """The stand-in, and what it was asked."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "uv"
        self.path.write_text(FAKE.replace("PYTHON", sys.executable))
        self.path.chmod(0o755)

    @property
    def calls(self) -> list[dict[str, Any]]:
        log = self.path.with_name("calls")
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    @property
    def verbs(self) -> list[str]:
        return [
            call["argv"][0] if call["argv"][0] in ("venv", "cache") else "offline"
            if "--offline" in call["argv"] else "online"
            for call in self.calls
        ]  # fmt: skip

    def answer(self, *outputs: str, code: int = 1) -> None:
        self.path.with_name("calls").unlink(missing_ok=True)
        answers = [{"code": code if text else 0, "output": text} for text in outputs]
        self.path.with_name("answers.json").write_text(json.dumps(answers))


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    (tmp_path / "bin").mkdir()
    fake = Fake(tmp_path / "bin")
    monkeypatch.setattr(building, "find_uv_bin", lambda: str(fake.path))
    monkeypatch.setattr(installer, "BACKOFF", (0.01, 0.02))
    return fake


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    (tmp_path / "cache").mkdir()
    return tmp_path / "cache"


@pytest.fixture
def spawner() -> Iterator[Spawner]:
    spawner = Spawner()
    yield spawner
    spawner.interrupt()


PYTHON = Interpreter(
    python="3.12", release="3.12.1", path=sys.executable, source="PATH", key="interpreter"
)
LOCK = Lock(("alpha==1.0", "beta==2.0"))


@pytest.fixture
def ensure(fake: Fake, cache: Path, spawner: Spawner) -> Callable[..., Environment]:
    def ensure(lock: Lock = LOCK, **options: Any) -> Environment:
        options.setdefault("environ", {"PATH": os.environ["PATH"]})
        return environments.ensure(lock, PYTHON, cache=cache, spawner=spawner, **options)

    return ensure


Ensure = Callable[..., Environment]


# --- making an environment --------------------------------------------------------------------


def test_made_once_and_used_again(ensure: Ensure, fake: Fake, cache: Path) -> None:
    made = ensure()
    assert made.created
    assert made.packages == {"alpha": "1.0", "beta": "2.0"}
    assert made.path == cache / "envs" / made.key
    assert made.python.exists()
    assert made.site_packages == made.path / "lib/python3.12/site-packages"
    assert fake.verbs == ["venv", "offline"]
    again = ensure()
    assert again == msgspec.structs.replace(made, created=False)
    assert len(fake.calls) == 2


def test_the_commands(ensure: Ensure, fake: Fake, tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    environ = {"PATH": os.environ["PATH"], "UV_OFFLINE": "", "PYTHONPATH": "/x", "SECRET": "1"}
    ensure(environ=environ, cwd=tmp_path / "project")
    venv, install = fake.calls
    assert venv["argv"][:-1] == [
        "venv", "--quiet", "--relocatable", "--no-project", "--python", sys.executable,
    ]  # fmt: skip
    aside = venv["argv"][-1]
    assert Path(aside).name.startswith(".building-")
    assert install["argv"] == [
        "pip", "install", "--no-deps", "--python", f"{aside}/bin/python",
        "--requirements", f"{aside}/pins.txt", "--offline",
    ]  # fmt: skip
    assert install["cwd"] == str(tmp_path / "project")
    added = {"LC_CTYPE", "__CF_USER_TEXT_E", "DJHOP_COMMAND_ID"}
    kept = {k: v for k, v in install["env"].items() if k not in added}
    assert kept == {"PATH": environ["PATH"], "UV_NO_PROGRESS": "1", "NO_COLOR": "1"}


def test_nothing_is_left_of_the_making(ensure: Ensure, cache: Path) -> None:
    made = ensure()
    ensure(recreate=True)
    assert sorted(p.name for p in (cache / "envs").iterdir()) == [made.key, f"{made.key}.lock"]
    assert list((cache / "logs").iterdir()) == []


def test_the_pins_with_their_credentials_are_not_left_behind(ensure: Ensure) -> None:
    made_ = ensure()
    assert not (made_.path / "pins.txt").exists()
    assert b"pins" not in (made_.path / "djhop.json").read_bytes()


def test_what_is_part_of_the_key() -> None:
    def key(pins: tuple[str, ...] = ("a==1", "b==2"), python: str = "k", **env: str) -> str:
        return building.key_of(pins, python, env)

    assert key() == key(("b==2", "a==1")) == key(PATH="/x", UV_CACHE_DIR="/y")
    others = {
        key(),
        key(("a==1",)),
        key(python="l"),
        key(UV_DEFAULT_INDEX="https://x/simple"),
        key(UV_FIND_LINKS="/wheels"),
        key(UV_NO_BINARY="1"),
    }
    assert len(others) == 6
    index = "https://{}index/simple https://b:c@other/"
    assert key(UV_INDEX=index.format("user:token@")) == key(UV_INDEX=index.format("user:new@"))


def test_recreate(ensure: Ensure, fake: Fake) -> None:
    first = ensure()
    (first.site_packages / "junk.py").write_text("")
    second = ensure(recreate=True)
    assert second.created
    assert second.path == first.path
    assert not (first.site_packages / "junk.py").exists()


@pytest.mark.parametrize(
    "break_it",
    [
        lambda e: (e.path / "djhop.json").unlink(),
        lambda e: (e.path / "djhop.json").write_text("{"),
        lambda e: (e.path / "djhop.json").write_text('{"format": 0}'),
        lambda e: e.python.unlink(),
        lambda e: (e.python.unlink(), e.python.symlink_to("/no/such/python")),
        lambda e: (e.site_packages / "alpha-1.0.dist-info").rename(e.path / "gone"),
        lambda e: (e.site_packages / "gamma-3.0.dist-info").mkdir(),
        lambda e: (e.path / "lib").rename(e.path / "bil"),
    ],
    ids=["no marker", "cut", "format", "no python", "dangling", "uninstalled", "more", "no lib"],
)
def test_a_broken_one_is_made_again(
    ensure: Ensure, break_it: Callable[[Environment], object]
) -> None:
    made = ensure()
    break_it(made)
    again = ensure()
    assert again.created
    assert again.packages == made.packages
    assert not ensure().created


@pytest.mark.parametrize(
    ("pins", "complaint"),
    [
        (("alpha==1.0", "Alpha_Beta==1"), None),
        (("alpha==1.0.0",), None),
        (("alpha[x]==1.0",), None),
        (("alpha @ https://example.org/alpha-7.zip",), None),
        ((), None),
    ],
)
def test_an_environment_is_its_lock(
    ensure: Ensure, pins: tuple[str, ...], complaint: str | None
) -> None:
    assert ensure(Lock(pins)).created


@pytest.mark.parametrize(
    ("pins", "packages", "package"),
    [
        (("a==1",), {}, "a"),
        (("a==1",), {"a": "2"}, "a"),
        (("a==1",), {"a": "1", "b": "1"}, "b"),
        (("a==old-style",), {"a": "1"}, "a"),
    ],
)
def test_an_environment_that_is_not_its_lock(
    pins: tuple[str, ...], packages: dict[str, str], package: str
) -> None:
    with pytest.raises(CannotInstall) as caught:
        environments._check(pins, packages, "log")
    assert caught.value.package == package


def test_an_environment_that_is_not_its_lock_is_never_there(
    ensure: Ensure, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environments, "installed", lambda site_packages: {"alpha": "1.0"})
    with pytest.raises(CannotInstall, match="beta"):
        ensure()
    assert [p.name for p in (cache / "envs").iterdir() if p.suffix != ".lock"] == []


def test_sigkill_while_it_is_made(cache: Path, fake: Fake, ensure: Ensure) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path\n"
        "import msgspec; from djhop.environments import building, environments\n"
        "from djhop.interpreters import interpreters; from djhop.processes import process\n"
        "building.find_uv_bin = lambda: sys.argv[2]\n"
        "class Lock(msgspec.Struct): pins: tuple\n"
        "i = interpreters.Interpreter(python='3.12', release='3.12.1', path=sys.executable,"
        " source='', key='interpreter')\n"
        "environments.ensure(Lock(('alpha==1.0', 'beta==2.0')), i, cache=Path(sys.argv[3]),"
        " spawner=process.Spawner(), environ={'PATH': '/usr/bin:/bin'})\n"
    )
    source = str(Path(environments.__file__).parents[2])
    fake.path.with_name("slow").touch()
    argv = [sys.executable, "-c", code, source, str(fake.path), str(cache)]
    with subprocess.Popen(argv) as child:
        limit = time.monotonic() + 10
        while len(fake.calls) < 2 and time.monotonic() < limit:
            time.sleep(0.01)
        child.send_signal(signal.SIGKILL)
    left = list((cache / "envs").glob(".building-*"))
    assert len(left) == 1
    environments.sweep(cache)
    assert list((cache / "envs").glob(".*")) == []
    left[0].mkdir()
    fake.path.with_name("slow").unlink()
    made = ensure()
    assert made.created
    assert sorted(p.name for p in (cache / "envs").iterdir()) == [made.key, f"{made.key}.lock"]


def test_many_at_once_make_it_once(ensure: Ensure, fake: Fake) -> None:
    fake.path.with_name("slow").touch()
    made: list[Environment] = []
    threads = [threading.Thread(target=lambda: made.append(ensure())) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert [e.created for e in made].count(True) == 1
    assert len(made) == 5
    assert fake.verbs == ["venv", "offline"]


def test_sweep_leaves_alone_what_is_being_made(cache: Path, spawner: Spawner) -> None:
    path = cache / "envs" / "key"
    with building.only_one(path, spawner), building.built_aside(path, spawner) as aside:
        aside.mkdir()
        environments.sweep(cache)
        assert aside.exists()
    assert path.exists()


def test_waiting_for_another_can_be_interrupted(cache: Path, spawner: Spawner) -> None:
    path = cache / "envs" / "key"
    other = Spawner()
    other.interrupt()
    with (
        building.only_one(path, spawner),
        pytest.raises(Interrupted),
        building.only_one(path, other),
    ):
        pass


def test_interrupt(ensure: Ensure, spawner: Spawner, cache: Path) -> None:
    spawner.interrupt()
    with pytest.raises(Interrupted):
        ensure()
    assert [p.name for p in (cache / "envs").iterdir() if p.suffix != ".lock"] == []


# --- what tests do to it ----------------------------------------------------------------------


def test_what_somebody_has_written_into_is_made_again_and_said(ensure: Ensure, fake: Fake) -> None:
    made_ = ensure()
    (made_.site_packages / "sitecustomize.py").write_text("import sys")
    again = ensure()
    assert again.created
    assert environments.told(again.changes) == "sitecustomize.py added"
    assert not (again.site_packages / "sitecustomize.py").exists()
    assert "cache" not in fake.verbs  # nothing of uv's was touched
    assert ensure() == msgspec.structs.replace(again, created=False, changes=())


def test_bytecode_is_no_reason_to_make_it_again(ensure: Ensure, cache: Path) -> None:
    made_ = ensure()
    compile_all(made_)
    before = (made_.path / "djhop.json").read_bytes()
    assert not ensure().created
    after = (made_.path / "djhop.json").read_bytes()
    assert after != before  # the folder's new mtime is remembered: names are compared once
    assert not ensure().created
    assert (made_.path / "djhop.json").read_bytes() == after
    assert [p.name for p in made_.path.glob("djhop.json*")] == ["djhop.json"]


@pytest.mark.parametrize("recreate", [False, True])
def test_uv_is_to_forget_what_was_written_through_its_links(
    ensure: Ensure, fake: Fake, cache: Path, recreate: bool
) -> None:
    made_ = ensure()
    alpha = made_.site_packages / "alpha.py"
    (cache / "in-uv").hardlink_to(alpha)
    alpha.write_text("poisoned = True\n")
    fake.answer()
    assert ensure(recreate=recreate).created
    assert fake.calls[0]["argv"] == ["cache", "clean", "alpha"]
    assert fake.calls[0]["env"]["UV_LOCK_TIMEOUT"] == "2"
    assert fake.verbs == ["cache", "venv", "offline"]
    assert "--no-cache" not in fake.calls[2]["argv"]
    assert ensure(recreate=True).damaged == ()
    assert fake.verbs[3:] == ["venv", "offline"]  # once is enough


@pytest.mark.parametrize("name", ["lib.so", "alpha-1.0.dist-info/entry_points.txt"])
def test_not_only_sources_are_shared(ensure: Ensure, fake: Fake, cache: Path, name: str) -> None:
    site = ensure().site_packages
    record = site / "alpha-1.0.dist-info" / "RECORD"
    record.write_text(f"{record.read_text()}{name},sha256=x,1\n")
    (site / name).write_text("as it was")
    made.mark(site.parents[2], "python", {"alpha": "1.0", "beta": "2.0"})
    (cache / "in-uv").hardlink_to(site / name)
    (site / name).write_text("something else")
    fake.answer()
    assert ensure().created
    assert fake.calls[0]["argv"] == ["cache", "clean", "alpha"]


def test_while_uv_cannot_forget_nothing_is_made_from_its_cache(
    ensure: Ensure, fake: Fake, cache: Path
) -> None:
    """As when djhop runs under `uv run`, which holds uv's cache."""
    alpha = ensure().site_packages / "alpha.py"
    (cache / "in-uv").hardlink_to(alpha)
    alpha.write_text("poisoned = True\n")
    fake.path.with_name("busy").touch()
    fake.answer()
    mended, other = ensure(), ensure(Lock(("alpha==1.0",)))
    assert mended.damaged == other.damaged == ("alpha",)
    assert "`uv cache clean alpha`" in damage.told(mended.damaged)
    assert fake.verbs == ["cache", "venv", "offline"] * 2
    assert all("--no-cache" in fake.calls[at]["argv"] for at in (2, 5))
    assert ensure(Lock(("beta==2.0",))).damaged == ()
    assert "--no-cache" not in fake.calls[-1]["argv"]
    fake.path.with_name("busy").unlink()
    assert ensure(recreate=True).damaged == ()
    assert fake.verbs[-3:] == ["cache", "venv", "offline"]
    assert "--no-cache" not in fake.calls[-1]["argv"]


def test_offline_what_uv_cannot_forget_says_what_to_type(
    ensure: Ensure, fake: Fake, cache: Path
) -> None:
    alpha = ensure().site_packages / "alpha.py"
    (cache / "in-uv").hardlink_to(alpha)
    alpha.write_text("poisoned = True\n")
    fake.path.with_name("busy").touch()
    fake.answer(NO_NETWORK)
    with pytest.raises(InfraError, match="not in uv's cache") as caught:
        ensure(offline=True)
    assert caught.value.hint == "run once with the network: without --offline and UV_OFFLINE"
    assert fake.verbs == ["cache", "venv", "offline"]


def test_changes_are_told_in_short() -> None:
    changes = tuple(looks.Change(f"m{n}.py", "added") for n in range(5))
    assert made.told(changes) == "m0.py added, m1.py added, m2.py added and 2 more"


def inside(environment: Environment, spawner: Spawner, *argv: str) -> tuple[Inside, list[str]]:
    notes: list[str] = []
    work = Inside(environment, spawner, notes.append)
    command = Command(argv=argv, cwd=str(environment.path), env={"PATH": "/usr/bin:/bin"})
    work.run("the strict run", command)
    return work, notes


def test_a_run_that_changes_its_environment_is_noted(ensure: Ensure, spawner: Spawner) -> None:
    made_ = ensure()
    work, notes = inside(made_, spawner, "/bin/rm", str(made_.site_packages / "alpha.py"))
    assert [change.path for change in work.changes] == ["alpha.py"]
    assert notes == [
        "the strict run changed the environment (alpha.py removed): it is made anew before the "
        "next run in it"
    ]
    work.run("the plain run", Command(argv=("/bin/true",), cwd="/", env={}))
    assert len(notes) == 1  # it has changed nothing more
    assert ensure().created
    work.run("the plain run", Command(argv=("/bin/true",), cwd="/", env={}))
    assert work.changes == ()


def test_a_run_that_removes_its_environment_is_noted(ensure: Ensure, spawner: Spawner) -> None:
    made_ = ensure()
    work, _ = inside(made_, spawner, "/bin/rm", "-r", str(made_.path / "lib"))
    assert work.changes
    assert ensure().created


def test_what_a_run_leaves_running_is_noted(ensure: Ensure, spawner: Spawner) -> None:
    _, notes = inside(ensure(), spawner, "/bin/sh", "-c", "sleep 63 & sleep 63 & sleep 64 &")
    assert len(notes) == 1
    assert notes[0].startswith("the strict run left running what djhop has ended: sleep 6")
    assert "sleep 63 (2 times)" in notes[0]
    _, quiet = inside(ensure(), spawner, "/bin/true")
    assert quiet == []


# --- in use -----------------------------------------------------------------------------------


def in_thread(action: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    done: list[object] = []
    thread = threading.Thread(target=lambda: done.append(action()))
    thread.start()
    return thread, done


def test_what_is_in_use_is_replaced_when_it_no_more_is(ensure: Ensure, spawner: Spawner) -> None:
    made_ = ensure()
    sign = made_.path / "sign"
    with building.in_use(made_.path, spawner), building.in_use(made_.path, spawner):
        sign.touch()
        thread, done = in_thread(lambda: ensure(recreate=True))
        thread.join(1.0)
        assert not done
        assert sign.exists()
        assert not ensure().created  # what is there can be used by others meanwhile
    thread.join(10)
    assert done
    assert not sign.exists()
    assert not ensure().created


def test_a_djhop_that_is_killed_lets_go(ensure: Ensure, tmp_path: Path) -> None:
    made_ = ensure()
    code = (
        "import sys, time; from pathlib import Path; sys.path.insert(0, sys.argv[1])\n"
        "from djhop.environments import building; from djhop.processes.process import Spawner\n"
        "with building.in_use(Path(sys.argv[2]), Spawner()):\n"
        "    Path(sys.argv[3]).touch(); time.sleep(60)\n"
    )
    source, sign = Path(building.__file__).parents[2], tmp_path / "sign"
    argv = [sys.executable, "-c", code, str(source), str(made_.path), str(sign)]
    with subprocess.Popen(argv) as other:
        limit = time.monotonic() + 10
        while not sign.exists() and time.monotonic() < limit:
            time.sleep(0.01)
        thread, done = in_thread(lambda: ensure(recreate=True))
        thread.join(0.5)
        assert not done
        other.kill()
    thread.join(10)
    assert done


def test_waiting_for_one_that_is_in_use_can_be_interrupted(
    ensure: Ensure, fake: Fake, cache: Path
) -> None:
    made_, mine = ensure(), Spawner()
    with building.in_use(made_.path, Spawner()):

        def recreate() -> str:
            try:
                environments.ensure(LOCK, PYTHON, cache=cache, spawner=mine, recreate=True,
                                    environ={"PATH": os.environ["PATH"]})  # fmt: skip
            except Interrupted as error:
                return str(error)
            return "made"

        thread, done = in_thread(recreate)
        while len(fake.calls) < 4:
            time.sleep(0.01)
        time.sleep(0.2)
        mine.interrupt()
        thread.join(10)
        assert done == ["interrupted while another djhop uses an environment"]
    assert sorted(p.name for p in made_.path.parent.iterdir()) == [made_.key, f"{made_.key}.lock"]


def test_one_that_is_just_being_replaced_is_waited_for(ensure: Ensure, spawner: Spawner) -> None:
    made_ = ensure()
    away = made_.path.with_name("away")
    made_.path.rename(away)
    thread, done = in_thread(lambda: inside(made_, spawner, "/bin/true"))
    thread.join(0.3)
    assert not done
    away.rename(made_.path)
    thread.join(10)
    assert done


def test_the_one_that_was_replaced_meanwhile_is_not_held(
    ensure: Ensure, spawner: Spawner, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_, locked, flock = ensure(), [], fcntl.flock

    def replaced_first(held: int, kind: int) -> None:
        locked.append(os.fstat(held).st_ino)
        if len(locked) == 1:
            made_.path.rename(made_.path.with_name("old"))
            made_.path.mkdir()
        flock(held, kind)

    monkeypatch.setattr(fcntl, "flock", replaced_first)
    with building.in_use(made_.path, spawner):
        assert locked[-1] == made_.path.stat().st_ino
        assert len(locked) == 2


def test_one_that_has_vanished_is_an_error(
    ensure: Ensure, spawner: Spawner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "VANISHED", 0.2)
    made_ = ensure()
    made_.path.rename(made_.path.with_name("away"))
    with pytest.raises(InfraError, match="has vanished"):
        inside(made_, spawner, "/bin/true")


# --- whose fault it is ------------------------------------------------------------------------


def test_what_is_not_in_the_cache_is_fetched(ensure: Ensure, fake: Fake) -> None:
    fake.answer(NO_NETWORK, "")
    assert ensure().created
    assert fake.verbs == ["venv", "offline", "online"]


def test_offline_never_asks_the_network(ensure: Ensure, fake: Fake) -> None:
    fake.answer(NO_NETWORK)
    with pytest.raises(InfraError, match="not in uv's cache") as caught:
        ensure(offline=True)
    assert fake.verbs == ["venv", "offline"]
    assert "--offline" in caught.value.hint


def test_a_network_that_comes_back(ensure: Ensure, fake: Fake) -> None:
    fake.answer(NO_NETWORK, REFUSED, REFUSED, "")
    assert ensure().created
    assert fake.verbs == ["venv", "offline", "online", "online", "online"]


def test_a_network_that_stays_away(ensure: Ensure, fake: Fake, cache: Path) -> None:
    fake.answer(NO_NETWORK, *[REFUSED] * 9)
    with pytest.raises(InfraError, match="could not be fetched") as caught:
        ensure()
    assert fake.verbs == ["venv", "offline", "online", "online", "online"]
    (log,) = (cache / "logs").iterdir()
    assert str(log) in caught.value.hint
    assert "secret" not in log.read_text() + str(caught.value)
    assert [p.name for p in (cache / "envs").iterdir() if p.suffix != ".lock"] == []


def test_uv_has_tried_often_enough(ensure: Ensure, fake: Fake) -> None:
    fake.answer(NO_NETWORK, "error: Request failed after 3 retries in 10.8s\n" + REFUSED)
    with pytest.raises(InfraError):
        ensure()
    assert fake.verbs == ["venv", "offline", "online"]


@pytest.mark.parametrize("output", [BUILD, OLD_BUILD])
def test_a_build_that_fails(ensure: Ensure, fake: Fake, output: str) -> None:
    """Whatever the build prints: it is the package, and nothing is tried twice."""
    fake.answer(output)
    with pytest.raises(CannotInstall) as caught:
        ensure()
    assert caught.value.package == "pillow==8.4.0"
    assert fake.verbs == ["venv", "offline"]
    assert output.splitlines()[-1].strip() in Path(caught.value.log).read_text()
    if output == BUILD:
        assert caught.value.tail.endswith("KeyError: '__version__'")
        assert "hint" not in caught.value.tail
        assert "Resolved" not in caught.value.tail
    assert not isinstance(caught.value, InfraError)


BACKEND = "error: Failed to build `x==1`\n  cause: Failed to resolve requirements from"


@pytest.mark.parametrize(
    ("output", "package"),
    [
        (f"{BACKEND} `build-system.requires`\n  cause: Failed to fetch: `https://x`\n", None),
        (
            "error: Failed to fetch: `https://x/y.whl`\n  cause: HTTP status client error (404)",
            None,
        ),
        ("error: HTTP status server error (503 Service Unavailable) for url (x)", None),
        ("error: Failed to fetch\n cause: HTTP status client error (401 Unauthorized)", None),
        ("error: dns error: failed to lookup address information", None),
        ("error: operation timed out", None),
        ("error: No space left on device (os error 28)", None),
        ("error: Failed to install `x==1`\n  cause: Read-only file system (os error 30)", None),
        ("error: Hash mismatch for `x==1`", None),
        ("thread main panicked", None),
        ("error: Failed to build `async-timeout==3.0`", "async-timeout==3.0"),
        ("error: Failed to build `x @ file:///a b`", "x"),
        ("  × Failed to download and build `x==1`", "x==1"),
        ("cause: Because there is no version of django==99.0 and you require", "django==99.0"),
        ("Because foo was not found in the package registry and you", "foo"),
        ("Because x==1 has no wheels with a matching Python ABI tag (e.g. `cp38`)", "x==1"),
        (
            "Because the current Python version (3.8.18) does not satisfy Python>=3.11 and "
            "numpy==2.3.0 depends on Python>=3.11, we can conclude",
            "numpy==2.3.0",
        ),
    ],
)
def test_whose_fault(ensure: Ensure, fake: Fake, output: str, package: str | None) -> None:
    fake.answer(*[output] * 9)
    with pytest.raises((CannotInstall, InfraError)) as caught:
        ensure()
    found = caught.value.package if isinstance(caught.value, CannotInstall) else None
    assert found == package


def test_uv_that_is_killed_or_missing_is_the_machine(
    ensure: Ensure, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "find_uv_bin", lambda: "/no/such/uv")
    with pytest.raises(InfraError, match="status 127"):
        ensure()
    fake.path.write_text("#!/bin/sh\nkill -9 $$\n")
    monkeypatch.setattr(building, "find_uv_bin", lambda: str(fake.path))
    with pytest.raises(InfraError, match="status -9"):
        ensure()


def test_what_uv_gets_of_the_environment() -> None:
    environ = {
        "HOME": "/h", "PATH": "/p", "https_proxy": "x", "NO_PROXY": "y", "SSL_CERT_FILE": "c",
        "UV_INDEX_CORP_PASSWORD": "s", "UV_DEFAULT_INDEX": "d", "UV_CACHE_DIR": "u",
        "UV_FIND_LINKS": "f", "NETRC": "n", "MYSQLCLIENT_CFLAGS": "m", "LC_ALL": "",
    }  # fmt: skip
    dropped = {
        "UV_OFFLINE": "", "UV_INDEX": "", "UV_PYTHON": "3.9", "UV_SYSTEM_PYTHON": "1",
        "UV_PROJECT_ENVIRONMENT": "x", "UV_CONSTRAINT": "c", "UV_COMPILE_BYTECODE": "1",
        "PYTHONPATH": "x", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHOME": "x", "VIRTUAL_ENV": "v",
        "CONDA_PREFIX": "c", "DJANGO_SETTINGS_MODULE": "s", "COVERAGE_PROCESS_START": "c",
        "MY_SECRET": "s", "PIP_INDEX_URL": "i",
    }  # fmt: skip
    ours = {"UV_NO_PROGRESS": "1", "NO_COLOR": "1"}
    assert environments.uv_environ({**environ, **dropped}) == {**environ, **ours}
    assert environments.uv_environ({"UV_OFFLINE": "1"}) == {"UV_OFFLINE": "1", **ours}


# --- bytecode ---------------------------------------------------------------------------------


def compile_all(environment: Environment) -> list[Path]:
    return [
        Path(py_compile.compile(str(source), doraise=True) or "")
        for source in sorted(environment.site_packages.glob("*.py"))
    ]


def test_bytecode_goes_from_one_environment_to_the_next(ensure: Ensure, cache: Path) -> None:
    first = ensure()
    alpha, _ = compile_all(first)
    assert environments.harvest(first, PYTHON, cache) == 2
    assert environments.harvest(first, PYTHON, cache) == 0
    second = ensure(Lock(("alpha==1.0", "gamma==1")))
    given = second.site_packages / "__pycache__" / alpha.name
    assert given.stat().st_ino == alpha.stat().st_ino
    assert [p.name for p in given.parent.iterdir()] == [alpha.name]
    code = "import sys; sys.path.insert(0, sys.argv[1]); import alpha"
    argv = [sys.executable, "-v", "-c", code, str(second.site_packages)]
    env = {"PATH": "/bin"}
    said = subprocess.run(argv, capture_output=True, text=True, check=True, env=env).stderr
    assert f"{given} matches" in said
    assert "# created" not in said


def test_later_harvests_add(ensure: Ensure, cache: Path) -> None:
    made = ensure()
    py_compile.compile(str(made.site_packages / "alpha.py"))
    assert environments.harvest(made, PYTHON, cache) == 1
    py_compile.compile(str(made.site_packages / "beta.py"))
    assert environments.harvest(made, PYTHON, cache) == 1
    again = ensure(recreate=True)
    assert len(list((again.site_packages / "__pycache__").iterdir())) == 2


def test_only_valid_bytecode_is_taken(ensure: Ensure, cache: Path) -> None:
    made = ensure()
    alpha, beta = compile_all(made)
    os.utime(made.site_packages / "alpha.py", (5, 5))
    (made.path / "second-name").hardlink_to(made.site_packages / "alpha.py")  # uv's cache
    beta.write_bytes(b"")
    cached = made.site_packages / "__pycache__"
    (cached / "stray.cpython-312.pyc").write_bytes(alpha.read_bytes())
    assert environments.harvest(made, PYTHON, cache) == 0


def test_what_pytest_has_rewritten_is_not_taken(ensure: Ensure, cache: Path) -> None:
    """It names the files of this environment, and nothing corrects that when it is loaded."""
    made = ensure()
    for pyc in compile_all(made):
        pyc.rename(pyc.with_name(f"{pyc.name.partition('.')[0]}.cpython-312-pytest-9.0.pyc"))
    assert environments.harvest(made, PYTHON, cache) == 0


def test_hash_based_bytecode_is_left_alone(ensure: Ensure, cache: Path) -> None:
    made = ensure()
    py_compile.compile(
        str(made.site_packages / "alpha.py"),
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
    assert environments.harvest(made, PYTHON, cache) == 0


def test_only_what_fits_the_source_is_given(ensure: Ensure, cache: Path) -> None:
    """Another mtime: uv's cache was filled anew. The store follows."""
    first = ensure()
    compile_all(first)
    environments.harvest(first, PYTHON, cache)
    store = environments.bytecode_store(cache, PYTHON)
    alpha = first.site_packages / "alpha.py"
    os.utime(alpha, (5, 5))
    (first.path / "second-name").hardlink_to(alpha)
    for pyc in (first.site_packages / "__pycache__").iterdir():
        pyc.unlink()
    assert bytecode.seed(first.site_packages, store) == 1  # beta
    py_compile.compile(str(alpha))
    assert environments.harvest(first, PYTHON, cache) == 1
    for pyc in (first.site_packages / "__pycache__").iterdir():
        pyc.unlink()
    assert bytecode.seed(first.site_packages, store) == 2


def test_copies_of_uv_get_the_mtime_that_fits(ensure: Ensure, cache: Path) -> None:
    first = ensure()
    compile_all(first)
    environments.harvest(first, PYTHON, cache)
    alpha = first.site_packages / "alpha.py"
    os.utime(alpha, (5, 5))  # one name only: not shared with uv's cache
    given = bytecode.seed(first.site_packages, environments.bytecode_store(cache, PYTHON))
    assert given == 2
    assert alpha.stat().st_mtime == 1000000000


def test_another_content_is_another_distribution(ensure: Ensure, cache: Path) -> None:
    first = ensure()
    compile_all(first)
    environments.harvest(first, PYTHON, cache)
    record = first.site_packages / "alpha-1.0.dist-info/RECORD"
    record.write_text(record.read_text().replace("sha256=", "sha256=x"))
    given = bytecode.seed(first.site_packages, environments.bytecode_store(cache, PYTHON))
    assert given == 1


def test_bytecode_across_file_systems_is_copied(
    ensure: Ensure, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ensure()
    compile_all(first)

    def refuse(self: Path, target: Path) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    assert environments.harvest(first, PYTHON, cache) == 2
    assert len(list((ensure(recreate=True).site_packages / "__pycache__").iterdir())) == 2


@pytest.mark.parametrize("damage", [b"", b"{", b'{"a": 1}', b"\xff"])
def test_a_damaged_store_is_no_store(ensure: Ensure, cache: Path, damage: bytes) -> None:
    first = ensure()
    compile_all(first)
    environments.harvest(first, PYTHON, cache)
    for index in environments.bytecode_store(cache, PYTHON).glob("*/index.json"):
        index.write_bytes(damage)
    again = ensure(recreate=True)
    assert not (again.site_packages / "__pycache__").exists()
    compile_all(again)
    assert environments.harvest(again, PYTHON, cache) == 2


def test_a_vanished_file_of_the_store_is_nothing(ensure: Ensure, cache: Path) -> None:
    first = ensure()
    compile_all(first)
    environments.harvest(first, PYTHON, cache)
    for pyc in environments.bytecode_store(cache, PYTHON).rglob("*.pyc"):
        pyc.unlink()
    assert ensure(recreate=True).created


def test_the_head_of_a_pyc_of_each_time(tmp_path: Path) -> None:
    def word(number: int) -> bytes:
        return number.to_bytes(4, "little")

    old, new = tmp_path / "old.pyc", tmp_path / "new.pyc"
    old.write_bytes(word(3379 + (0x0A0D << 16)) + word(7) + word(8) + b"code")
    new.write_bytes(importlib.util.MAGIC_NUMBER + word(0) + word(7) + word(8) + b"code")
    assert bytecode._head(old) == bytecode._head(new) == (7, 8)
    new.write_bytes(importlib.util.MAGIC_NUMBER + word(1) + word(7) + word(8))
    assert bytecode._head(new) is None
    assert bytecode._head(tmp_path / "none.pyc") is None


# --- tools and overlays -----------------------------------------------------------------------


def test_tools_are_made_once_and_compiled(fake: Fake, cache: Path, spawner: Spawner) -> None:
    def tools() -> Path:
        return environments.tools(PYTHON, cache=cache, spawner=spawner, environ={"PATH": "/bin"})

    path = tools()
    assert tools() == path
    assert len(fake.calls) == 1
    assert fake.calls[0]["argv"][-2:] == ["coverage", "--offline"]
    assert list(path.rglob("stale.*.pyc"))
    assert sorted(p.name for p in path.parent.iterdir()) == [path.name, f"{path.name}.lock"]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "room 1" / "tree"
    (tree / "src/project").mkdir(parents=True)
    (tree / "src/project/__init__.py").write_text("__version__ = '1'\n")
    (tree / "src/project/code.py").write_text("")
    (tree / "setup.py").write_text("")
    return tree


@pytest.fixture
def lay(fake: Fake, cache: Path, spawner: Spawner, tree: Path) -> Callable[..., overlay.Overlay]:
    def lay(where: Path = tree, **options: Any) -> overlay.Overlay:
        return environments.overlay(
            where, PYTHON, cache=cache, spawner=spawner, environ={"PATH": "/bin"}, **options
        )

    return lay


Lay = Callable[..., overlay.Overlay]


def test_an_overlay_is_built_from_a_copy_and_names_the_workspace(
    lay: Lay, tree: Path, fake: Fake, cache: Path
) -> None:
    dirs, notes = lay()
    assert dirs == (str(tree.with_name("overlay")),)
    assert notes == ("the project itself is visible as an editable install",)
    assert (Path(dirs[0]) / "project.pth").read_text() == f"{tree}/src\n"
    assert fake.calls[0]["argv"][-2] != str(tree)
    # What the code may import is put into the tree; what only the build wants is not.
    assert (tree / "made_by_build.py").exists()
    assert not (tree / "project.egg-info").exists()
    assert not list((cache / "overlays").glob(".*"))


def test_an_overlay_is_built_once_for_all_workspaces(
    lay: Lay, tree: Path, fake: Fake, tmp_path: Path
) -> None:
    lay()
    (tree / "made_by_build.py").unlink()
    (tree / "src/project/code.py").write_text("changed = 1\n")
    lay()
    assert (tree / "made_by_build.py").exists()
    twin = tmp_path / "room 2" / "tree"
    twin.parent.mkdir()
    subprocess.run(["cp", "-r", str(tree), str(twin)], check=True)
    (twin / "made_by_build.py").unlink()
    dirs, _ = lay(twin)
    assert (Path(dirs[0]) / "project.pth").read_text() == f"{twin}/src\n"
    assert len(fake.calls) == 1


@pytest.mark.parametrize(
    "name", ["setup.py", "pyproject.toml", "README.rst", "src/project/__init__.py", "src/new/x.py"]
)
def test_an_overlay_is_built_anew_when_the_build_would_read_something_new(
    lay: Lay, tree: Path, fake: Fake, name: str
) -> None:
    lay()
    (tree / name).parent.mkdir(exist_ok=True)
    (tree / name).write_text("other = 1\n")
    lay()
    assert len(fake.calls) == 2


def test_a_backend_without_editable_hooks(lay: Lay, tree: Path, fake: Fake) -> None:
    fake.answer(NO_EDITABLE, "")
    dirs, notes = lay()
    assert "knows no editable install" in notes[0]
    assert "these are copies, not the code under test: elsewhere" in notes[0]
    made = sorted(p.name for p in Path(dirs[0]).iterdir())
    # The code itself is not there twice: it would be stale.
    assert made == ["__djhop_project.pth", "elsewhere", "project-1.0.dist-info"]
    assert (Path(dirs[0]) / "__djhop_project.pth").read_text() == f"{tree}/src\n"


def test_a_version_that_is_taken_from_a_repository(lay: Lay, fake: Fake) -> None:
    fake.answer(NO_REPOSITORY, "")
    _, notes = lay()
    assert notes[0].endswith("with 0.0.0 for its version, which is taken from a repository")
    assert fake.calls[1]["env"]["SETUPTOOLS_SCM_PRETEND_VERSION"] == "0.0.0"


def test_a_project_that_cannot_be_built_is_no_error(lay: Lay, fake: Fake) -> None:
    fake.answer(BUILD)
    dirs, notes = lay()
    assert dirs == ()
    assert "its build fails" in notes[0]
    assert "KeyError: '__version__'" in notes[0]
    assert lay() == (dirs, notes)
    assert len(fake.calls) == 1  # not tried again as long as nothing changes
    fake.answer("")
    assert lay(recreate=True).dirs


def test_no_network_is_no_verdict_about_the_project(lay: Lay, fake: Fake) -> None:
    fake.answer(*[REFUSED] * 9)
    with pytest.raises(InfraError):
        lay()
    fake.answer("")
    assert lay().dirs


def test_an_overlay_never_writes_through_a_link(lay: Lay, tree: Path, tmp_path: Path) -> None:
    lay()
    (tmp_path / "outside.py").write_text("mine")
    (tree / "made_by_build.py").unlink()
    (tree / "made_by_build.py").symlink_to(tmp_path / "outside.py")
    lay()
    assert not (tree / "made_by_build.py").is_symlink()
    assert (tmp_path / "outside.py").read_text() == "mine"
