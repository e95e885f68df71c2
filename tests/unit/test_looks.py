"""What is seen of an environment that somebody has written into."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from djhop.environments import looks
from djhop.environments.looks import Change, Look

FILES = {
    "alpha.py": "a = 1\n",
    "site.pth": "\n",
    "pkg/__init__.py": "",
    "pkg/data.json": "{}",
    "pkg/sub/deep.py": "",
    "pkg/locale/de/LC_MESSAGES/django.mo": "",
    "space/inner/mod.py": "",
    "alpha-1.0.dist-info/RECORD": "",
    "alpha-1.0.dist-info/METADATA": "Name: alpha\n",
    "alpha-1.0.dist-info/entry_points.txt": "[pytest11]\n",
}


ENTRIES = "alpha-1.0.dist-info/entry_points.txt"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    site = tmp_path / "site-packages"
    for name, text in FILES.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(text)
    for folder in (site, *(p for p in site.rglob("*") if p.is_dir())):
        os.utime(folder, (1, 1))  # whatever happens next, happens later
    return site


def deep(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.touch()


def seen(site: Path, before: Look) -> list[Change]:
    return list(looks.again(site, before)[1])


def test_it_looks_at_code_and_its_folders(site: Path) -> None:
    found = looks.look(site)
    decide = (".py", ".pth", "/METADATA", "/entry_points.txt")
    assert set(found.files) == {p for p in FILES if p.endswith(decide)}
    code = {"", "pkg/", "pkg/sub/", "space/", "space/inner/"}
    assert set(found.folders) == code | {"alpha-1.0.dist-info/"}
    assert found.folders["pkg/"].names == ("__init__.py", "data.json", "locale", "sub")
    assert found.files["alpha.py"] == (6, (site / "alpha.py").stat().st_mtime_ns)


def test_a_look_survives_being_written_down(site: Path) -> None:
    found = looks.look(site)
    assert msgspec.json.decode(msgspec.json.encode(found), type=Look) == found


def test_nothing_has_changed(site: Path) -> None:
    before = looks.look(site)
    assert looks.again(site, before) == (before, ())


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda s: (s / "new.pth").touch(), Change("new.pth", "added")),
        (lambda s: (s / "gamma").mkdir(), Change("gamma", "added")),
        (lambda s: (s / "beta-2.dist-info").mkdir(), Change("beta-2.dist-info", "added")),
        (lambda s: (s / "pkg/sub/new.py").touch(), Change("pkg/sub/new.py", "added")),
        (lambda s: (s / "space/new.py").touch(), Change("space/new.py", "added")),
        (lambda s: (s / "alpha.py").unlink(), Change("alpha.py", "removed")),
        (lambda s: (s / "pkg/data.json").unlink(), Change("pkg/data.json", "removed")),
        (lambda s: (s / "pkg/sub/deep.py").unlink(), Change("pkg/sub/deep.py", "removed")),
        (lambda s: (s / "alpha.py").write_text("a = 22\n"), Change("alpha.py", "changed")),
        (lambda s: (s / "alpha.py").write_text("a = 2\n"), Change("alpha.py", "changed")),
        (lambda s: os.utime(s / "alpha.py", (5, 5)), Change("alpha.py", "changed")),
        (lambda s: (s / ENTRIES).write_text("[x]\n"), Change(ENTRIES, "changed")),
        (lambda s: (s / ENTRIES).unlink(), Change(ENTRIES, "removed")),
        (lambda s: (s / "pkg/bare.pyc").touch(), Change("pkg/bare.pyc", "added")),
        (lambda s: (s / "pkg/linked").symlink_to(s), Change("pkg/linked", "added")),
        (lambda s: deep(s / "pkg/new/deep/x.py"), Change("pkg/new", "added")),
    ],
)
def test_one_change(site: Path, change: Callable[[Path], object], expected: Change) -> None:
    before = looks.look(site)
    change(site)
    assert seen(site, before) == [expected]


def test_a_file_that_was_replaced(site: Path) -> None:
    before = looks.look(site)
    (site / "alpha.new").write_text("a = 3\n")
    (site / "alpha.new").replace(site / "alpha.py")
    assert seen(site, before) == [Change("alpha.py", "changed")]


def test_a_package_that_was_removed_is_named_once(site: Path) -> None:
    before = looks.look(site)
    (site / "space").rename(site.parent / "gone")
    assert seen(site, before) == [Change("space", "removed")]


def test_bytecode_is_no_change_and_costs_one_look(site: Path) -> None:
    before = looks.look(site)
    (site / "pkg/__pycache__").mkdir()
    (site / "pkg/__pycache__/x.pyc").touch()
    now, changes = looks.again(site, before)
    assert changes == ()
    assert now.folders["pkg/"].mtime == (site / "pkg").stat().st_mtime_ns
    assert now.folders["pkg/"].names == before.folders["pkg/"].names


@pytest.mark.parametrize("name", ["cache.json", "pkg/cache.pickle", "pkg/cache/one.bin"])
def test_data_that_a_package_writes_beside_its_code_is_no_change(site: Path, name: str) -> None:
    before = looks.look(site)
    (site / name).parent.mkdir(exist_ok=True)
    (site / name).touch()
    assert seen(site, before) == []


def test_code_that_comes_into_a_new_folder_of_data_is_seen(site: Path) -> None:
    before = looks.look(site)
    (site / "pkg/cache").mkdir()
    now, changes = looks.again(site, before)
    assert changes == ()
    (site / "pkg/cache/mod.py").touch()  # the folder around it has no new mtime
    assert seen(site, now) == [Change("pkg/cache", "added")]


def test_what_was_written_through_a_hard_link_is_known_as_shared(site: Path) -> None:
    (site.parent / "cached.py").hardlink_to(site / "alpha.py")
    before = looks.look(site)
    (site / "alpha.py").write_text("a = 99\n")
    assert seen(site, before) == [Change("alpha.py", "changed", shared=True)]
