"""Pythons on made-up machines."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from djhop.interpreters import interpreters, python_places
from djhop.interpreters.interpreters import Interpreter


class Machine:
    """A tree of files that stand for Pythons: each says in its text what it would answer."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.asked: list[str] = []
        self.environ = {"HOME": str(root / "home"), "PATH": ""}
        # The directories of the real machine are none of ours.
        real = python_places.candidates
        monkeypatch.setattr(
            interpreters,
            "candidates",
            lambda environ, running: (
                c for c in real(environ, running) if c.path.startswith(str(root))
            ),
        )

    def add(self, path: str, release: str = "", **facts: Any) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        numbers, _, rest = release.partition("-")
        level, _, serial = rest.partition("-")
        answer = {
            "implementation": "cpython",
            "version": [int(n) for n in numbers.split(".")] if release else [],
            "level": level or "final",
            "serial": int(serial or 0),
            "bits": 64,
            "abi": "",
        }
        file.write_text(json.dumps(answer | facts) if release else "no python")
        file.chmod(0o755)
        return file

    def path(self, *folders: str) -> None:
        self.environ["PATH"] = os.pathsep.join(str(self.root / folder) for folder in folders)

    def query(self, executable: str) -> str:
        self.asked.append(str(Path(executable).relative_to(self.root)))
        return Path(executable).read_text()

    def find(self, **options: Any) -> dict[str, Interpreter]:
        cache = self.root / "cache"
        return interpreters.find(environ=self.environ, cache=cache, query=self.query, **options)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def releases(found: dict[str, Interpreter]) -> dict[str, tuple[str, str]]:
    return {minor: (item.release, item.source) for minor, item in found.items()}


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("bin/python3.9", "PATH"),
        ("bin/python3", "PATH"),
        ("bin/python", "PATH"),
        ("home/.pyenv/versions/3.9.1/bin/python", "pyenv"),
        ("home/.asdf/installs/python/3.9.1/bin/python3", "asdf"),
        ("home/.local/share/mise/installs/python/3.9.1/bin/python", "mise"),
        ("home/.local/share/uv/python/cpython-3.9.1-linux-x86_64-gnu/bin/python3.9", "uv"),
        ("home/.local/bin/python3.9", "the user"),
        ("elsewhere/versions/3.9.1/bin/python", "pyenv"),
        (".asdf/installs/python/3.9.1/bin/python", "asdf"),
        ("uvs/cpython-3.9.1-linux/bin/python", "uv"),
    ],
)
def test_where_pythons_are_kept(machine: Machine, path: str, source: str) -> None:
    machine.add(path, "3.9.1")
    machine.path("bin", "elsewhere/shims", ".asdf/shims", "nowhere")
    if "uvs" in path:
        machine.environ["UV_PYTHON_INSTALL_DIR"] = str(machine.root / "uvs")
    assert releases(machine.find()) == {"3.9": ("3.9.1", source)}


def test_shims_are_never_run(machine: Machine) -> None:
    machine.add("home/.pyenv/shims/python3.9", "3.9.1")
    machine.add("home/.pyenv/plugins/pyenv-virtualenv/shims/python", "3.9.1")
    machine.path("home/.pyenv/shims", "home/.pyenv/plugins/pyenv-virtualenv/shims/")
    assert machine.find() == {}
    assert machine.asked == []


def test_pyenv_is_found_when_home_is_another(machine: Machine) -> None:
    machine.add("real/.pyenv/versions/3.9.1/bin/python", "3.9.1")
    machine.path("real/.pyenv/shims")
    assert releases(machine.find()) == {"3.9": ("3.9.1", "pyenv")}


@pytest.mark.parametrize(
    ("pythons", "best"),
    [
        ({"a/python": "3.9.1", "b/python": "3.9.2"}, "3.9.2"),
        ({"a/python": "3.9.10", "b/python": "3.9.9"}, "3.9.10"),
        ({"a/python": "3.9.1", "home/.pyenv/versions/3.9.2/bin/python": "3.9.2"}, "3.9.2"),
        ({"a/python": "3.9.0-beta-1", "b/python": "3.9.0-candidate-2"}, "3.9.0rc2"),
        ({"a/python": "3.9.1-candidate-1", "b/python": "3.9.0"}, "3.9.0"),
        ({"a/python": "3.9.0-alpha-3"}, "3.9.0a3"),
    ],
)
def test_the_best_of_a_minor(machine: Machine, pythons: dict[str, str], best: str) -> None:
    for path, release in pythons.items():
        machine.add(path, release)
    machine.path("a", "b")
    assert machine.find()["3.9"].release == best


def test_path_is_preferred_at_equal_release(machine: Machine) -> None:
    machine.add("home/.pyenv/versions/3.9.1/bin/python", "3.9.1")
    machine.add("own/python", "3.9.1")
    machine.add("bin/python3.9", "3.9.1")
    machine.path("bin")
    found = machine.find(running=str(machine.root / "own/python"))
    assert found["3.9"].source == "PATH"


@pytest.mark.parametrize(
    "facts",
    [
        {"implementation": "pypy"},
        {"bits": 32},
        {"abi": "d"},
        {"abi": "t"},
        {"version": [2, 7, 18]},
        {"version": [3, 5, 9]},
    ],
)
def test_pythons_of_no_use(machine: Machine, facts: dict[str, Any]) -> None:
    machine.add("bin/python", "3.9.1", **facts)
    machine.path("bin")
    assert machine.find() == {}


def test_old_abi_letter_is_no_special_build(machine: Machine) -> None:
    machine.add("bin/python", "3.6.15", abi="m")
    machine.path("bin")
    assert releases(machine.find()) == {"3.6": ("3.6.15", "PATH")}


@pytest.mark.parametrize("name", ["pypy3.9-7.3.1", "3.13.0t", "graalpy-22", "3.13.0+freethreaded"])
def test_directories_that_hold_other_kinds_are_not_asked(machine: Machine, name: str) -> None:
    machine.add(f"home/.pyenv/versions/{name}/bin/python", "3.9.1")
    assert machine.find() == {}
    assert machine.asked == []


def test_virtual_environments_are_left_out(machine: Machine) -> None:
    machine.add("venv/bin/python", "3.9.1")
    (machine.root / "venv/pyvenv.cfg").write_text("")
    machine.path("venv/bin")
    assert machine.find() == {}


def test_each_executable_is_asked_once(machine: Machine) -> None:
    machine.add("bin/python3.9", "3.9.1")
    (machine.root / "bin/python3").symlink_to("python3.9")
    (machine.root / "bin/python").symlink_to("python3")
    machine.path("bin", "bin")
    first = machine.find()
    assert machine.asked == ["bin/python3.9"]
    assert machine.find() == first
    assert machine.asked == ["bin/python3.9"]


def test_an_executable_that_changed_is_asked_again(machine: Machine) -> None:
    machine.add("bin/python", "3.9.1")
    machine.path("bin")
    before = machine.find()["3.9"]
    machine.add("bin/python", "3.9.22")
    after = machine.find()["3.9"]
    assert (before.release, after.release) == ("3.9.1", "3.9.22")
    assert before.key != after.key


def test_only_the_minors_asked_for(machine: Machine) -> None:
    for release in ("3.8.1", "3.9.1"):
        machine.add(f"home/.pyenv/versions/{release}/bin/python", release)
    machine.add("bin/python", "3.10.1")
    machine.path("bin")
    assert list(machine.find(minors={"3.9"})) == ["3.9"]
    assert sorted(machine.asked) == ["bin/python", "home/.pyenv/versions/3.9.1/bin/python"]
    assert list(machine.find()) == ["3.8", "3.9", "3.10"]


def test_what_does_not_answer_is_asked_again_and_left_out(machine: Machine) -> None:
    machine.add("bin/python")
    machine.path("bin")
    assert machine.find() == machine.find() == {}
    assert len(machine.asked) == 2


def test_an_executable_that_cannot_be_started(machine: Machine) -> None:
    machine.add("bin/python", "3.9.1")
    machine.path("bin")

    def query(executable: str) -> str:
        raise PermissionError(executable)

    environ, cache = machine.environ, machine.root / "cache"
    assert interpreters.find(environ=environ, cache=cache, query=query) == {}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 2, "interpreters": {}}', "\0"])
def test_a_broken_cache_costs_only_time(machine: Machine, text: str) -> None:
    machine.add("bin/python", "3.9.1")
    machine.path("bin")
    (machine.root / "cache").mkdir()
    (machine.root / "cache/interpreters.json").write_text(text)
    assert list(machine.find()) == ["3.9"]
    assert list(machine.find()) == ["3.9"]
    assert len(machine.asked) == 1


def test_a_cache_that_cannot_be_written(machine: Machine) -> None:
    machine.add("bin/python", "3.9.1")
    machine.path("bin")
    (machine.root / "cache").write_text("a file")
    assert list(machine.find()) == ["3.9"]


def test_a_machine_without_home_or_path(tmp_path: Path) -> None:
    found = list(python_places.candidates({}))
    assert all(item.source in ("the system", "Homebrew", "python.org") for item in found)


@pytest.mark.parametrize(
    ("minor", "download", "system", "says", "says_not"),
    [
        ("3.9", True, "", "uv python install 3.9, or: pyenv install 3.9", "apt"),
        ("3.9", False, "", "pyenv install 3.9", "uv"),
        ("3.7", True, "", "pyenv install 3.7", "uv python install"),
        ("3.13", True, "ubuntu", "ppa:deadsnakes/ppa", "brew"),
        ("3.11", False, "debian", "apt install python3.11-venv", "deadsnakes"),
        ("3.12", True, "macos", "brew install python@3.12", "apt"),
        ("3.5", True, "", "uv makes no environments before Python 3.6", "pyenv install"),
        ("2.7", False, "ubuntu", "too old", "apt"),
    ],
)
def test_how_to_get(minor: str, download: bool, system: str, says: str, says_not: str) -> None:
    text = interpreters.how_to_get(minor, uv_can_download=download, system=system)
    assert says in text
    assert says_not not in text


@pytest.mark.parametrize(
    ("text", "platform", "system"),
    [
        ('ID=ubuntu\nID_LIKE="debian"\n', "linux", "ubuntu"),
        ('ID=linuxmint\nID_LIKE="ubuntu debian"\n', "linux", "ubuntu"),
        ("ID=debian\n", "linux", "debian"),
        ("ID=fedora\n", "linux", ""),
        ("", "linux", ""),
        ("", "darwin", "macos"),
    ],
)
def test_system(text: str, platform: str, system: str) -> None:
    assert python_places.system(text, platform) == system


def test_commands() -> None:
    assert interpreters.install_command("3.9", "/x/uv") == (
        "/x/uv",
        "python",
        "install",
        "--no-bin",
        "3.9",
    )
    assert interpreters.question("/x/python")[:2] == ("/x/python", "-E")
    assert [interpreters.uv_can_download(m) for m in ("3.7", "3.8", "3.14")] == [False, True, True]
