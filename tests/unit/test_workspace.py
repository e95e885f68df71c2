"""A cell's private room, on real files and with real git."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from gitting import git

from djhop.errors import InfraError, Interrupted, UsageError
from djhop.processes.process import Spawner
from djhop.workspace import mirror, removal, sources, visible, workspace
from djhop.workspace.workspace import Workspace


def make(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# {name}\n")
    # Long ago, so that nothing is "changed just now" (see mirror.RACY).
    time.sleep(0.06)
    return root


def snapshot(root: Path) -> dict[str, tuple[object, ...]]:
    """Everything of a tree that a program can see, without reading through links."""
    seen: dict[str, tuple[object, ...]] = {}
    for path in (root, *sorted(root.rglob("*"))):
        status = path.lstat()
        content: object = None
        if stat.S_ISLNK(status.st_mode):
            content = path.readlink()
        elif stat.S_ISREG(status.st_mode):
            content = path.read_bytes()
        seen[str(path)] = (status.st_mode, status.st_mtime_ns, status.st_ino, content)
    return seen


def content(tree: Path) -> dict[str, str]:
    """Relative path → text of every file, links as "-> text"."""
    return {
        path.relative_to(tree).as_posix(): (
            f"-> {path.readlink()}" if path.is_symlink() else path.read_text()
        )
        for path in sorted(tree.rglob("*"))
        if path.is_symlink() or not path.is_dir()
    }


def listed(root: Path, **options: Any) -> list[str]:
    return list(visible.files(root, Spawner(), **options))


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return make(tmp_path / "target", "manage.py", "app/models.py", "app/deep/x.py", "data.txt")


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "workspaces" / "key" / "py3.12-django5.2"


# --- what belongs to a target -----------------------------------------------------------------


def test_git_says_what_belongs(target: Path) -> None:
    make(target, "untracked.py", "ignored.py", "gone.py", ".gitignore", "sub/kept.py", "odd\nname")
    (target / ".gitignore").write_text("ignored.py\n*.pyc\n")
    (target / os.fsdecode(b"latin\xe9.py")).write_text("")
    git(target, "init", "-q")
    git(target, "add", "manage.py", "gone.py", "data.txt")
    (target / "gone.py").unlink()
    (target / "data.txt").unlink()
    (target / "data.txt").mkdir()  # tracked as a file
    make(target, "data.txt/inside")
    assert listed(target) == [
        ".gitignore",
        "app/deep/x.py",
        "app/models.py",
        "data.txt/inside",
        os.fsdecode(b"latin\xe9.py"),
        "manage.py",
        "odd\nname",
        "sub/kept.py",
        "untracked.py",
    ]
    assert listed(target / "sub") == ["kept.py"]


def test_a_name_that_is_not_utf_8_is_copied(target: Path, base: Path) -> None:
    name = os.fsdecode(b"latin\xe9.py")
    (target / name).write_text("x = 1\n")
    for text in ("x = 1\n", "x = 2\n"):
        (target / name).write_text(text)
        with workspace.open(target, base, files=visible.files(target, Spawner())) as room:
            assert (room.tree / name).read_text() == text
            assert (room.tree / "manage.py").is_file()


def test_submodules_and_repositories_inside(target: Path, tmp_path: Path) -> None:
    other = make(tmp_path / "other", "lib.py", "secret.py", ".gitignore")
    (other / ".gitignore").write_text("secret.py\n")
    git(other, "init", "-q")
    git(other, "add", ".")
    git(other, "commit", "-qm", "x")
    git(target, "init", "-q")
    git(target, "submodule", "add", "-q", str(other), "vendor/other")
    git(target, "submodule", "add", "-q", str(other), "vendor/empty")
    shutil.rmtree(target / "vendor/empty")
    (target / "vendor/empty").mkdir()
    make(target, "vendor/other/new.py", "vendor/other/secret.py", "nested/inner.py")
    git(target / "nested", "init", "-q")
    found = [path for path in listed(target) if "/" in path and not path.startswith("app/")]
    assert found == [
        "nested/inner.py",
        "vendor/empty/",
        "vendor/other/.gitignore",
        "vendor/other/lib.py",
        "vendor/other/new.py",
    ]


def test_git_is_not_misled_by_a_hooks_environment(
    target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(target, "init", "-q")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    make(target, "ignored.py")
    (target / ".gitignore").write_text("ignored.py\n")
    assert "ignored.py" not in listed(target)


def test_git_leaves_the_index_alone(target: Path) -> None:
    git(target, "init", "-q")
    git(target, "add", ".")
    os.utime(target / "manage.py", (1, 1))
    before = snapshot(target)
    listed(target)
    assert snapshot(target) == before


def test_without_git_what_looks_like_source(target: Path) -> None:
    make(
        target, ".venv/a", "myenv/pyvenv.cfg", "myenv/lib/b", "node_modules/c", ".tox/d", ".nox/e",
        ".mypy_cache/f", ".pytest_cache/g", ".ruff_cache/h", "app/__pycache__/i.pyc", "old.pyc",
        ".hg/j", "app.egg-info/PKG-INFO", ".env",
    )  # fmt: skip
    (target / "media/empty").mkdir(parents=True)
    (target / "loop").symlink_to(".")
    assert listed(target, environ={"PATH": "/nonexistent"}) == [
        ".env", "app.egg-info/PKG-INFO", "app/deep/x.py", "app/models.py", "data.txt", "loop",
        "manage.py", "media/empty/",
    ]  # fmt: skip


def test_a_target_that_is_ignored_as_a_whole(target: Path) -> None:
    git(target.parent, "init", "-q")
    (target.parent / ".gitignore").write_text("target/\n")
    assert "manage.py" in listed(target)


def test_copy_adds_what_git_ignores(target: Path) -> None:
    make(target, ".env", "media/a/b.png", "media/.git/x", "node_modules/y/node_modules/z.js")
    (target / ".gitignore").write_text(".env\nmedia\nnode_modules\n")
    (target / "media/loop").symlink_to("..")
    (target / "loop").symlink_to(".")
    git(target, "init", "-q")
    assert not {".env", "media/a/b.png"} & set(listed(target))
    found = listed(target, copy=(".env", "me*", "**/node_modules"))
    assert {".env", "media/a/b.png", "node_modules/y/node_modules/z.js"} < set(found)
    assert "media/.git/x" not in found


def test_copy_is_a_glob(target: Path) -> None:
    with pytest.raises(UsageError, match="copy: 'a\\*\\*' is no glob"):
        listed(target, copy=("a**",))


@pytest.mark.parametrize("pattern", ["/etc/*", "../x", "a/../../x", ""])
def test_copy_cannot_leave_the_target(target: Path, pattern: str) -> None:
    with pytest.raises(UsageError, match="leaves the target"):
        listed(target, copy=(pattern,))


def test_earlier_runs_do_not_belong(target: Path) -> None:
    make(target, "reports/2026/run.json", "reports/2026/cells/c/log", "reports/README.md")
    make(target, "other/run.json", "out/new/log")
    assert [p for p in listed(target, exclude=("out",)) if p[0] in "or"] == [
        "other/run.json",
        "reports/README.md",
    ]


def test_listing_can_be_interrupted(target: Path) -> None:
    spawner = Spawner()
    spawner.interrupt()
    with pytest.raises(Interrupted):
        visible.files(target, spawner)


def opened(
    target: Path, base: Path, **options: Any
) -> contextlib.AbstractContextManager[Workspace]:
    """The room, with all that belongs to the target."""
    return workspace.open(target, base, files=visible.files(target, Spawner(), **options))


# --- the copy --------------------------------------------------------------------------------


def test_the_copy_is_the_target(target: Path, base: Path) -> None:
    (target / "manage.py").chmod(0o755)
    (target / "data.txt").chmod(0o444)
    (target / "app/deep").chmod(0o711)
    before = snapshot(target)
    with opened(target, base) as room:
        assert room.tree == base / "tree"
        assert content(room.tree) == content(target)
        assert (room.files, room.changed, room.notes) == (4, 4, ())
        for name in ("manage.py", "data.txt", "app/deep"):
            assert (room.tree / name).stat().st_mode == (target / name).stat().st_mode
        for name in content(target):
            copied, source = (room.tree / name).stat(), (target / name).stat()
            assert copied.st_mtime_ns == source.st_mtime_ns
            assert (copied.st_ino, copied.st_nlink) != (source.st_ino, 2)
    assert snapshot(target) == before


def test_nothing_changed_nothing_copied(target: Path, base: Path) -> None:
    with opened(target, base) as room:
        before = snapshot(room.tree)
    with opened(target, base) as room:
        assert (room.files, room.changed) == (4, 0)
        assert snapshot(room.tree) == before


def test_what_changed_in_the_target_is_copied(target: Path, base: Path) -> None:
    with opened(target, base):
        pass
    make(target, "new.py", "app/models.py")
    (target / "app/deep/x.py").unlink()
    (target / "app/deep").rmdir()
    (target / "manage.py").chmod(0o700)
    with opened(target, base) as room:
        assert content(room.tree) == content(target)
        assert not (room.tree / "app/deep").exists()
        assert (room.tree / "manage.py").stat().st_mode & 0o777 == 0o700
        assert room.changed == 4


def test_same_size_and_mtime_in_the_target_is_a_change_too(target: Path, base: Path) -> None:
    with opened(target, base):
        pass
    status = (target / "manage.py").stat()
    (target / "manage.py").write_text("# MANAGE.py\n")
    os.utime(target / "manage.py", ns=(status.st_atime_ns, status.st_mtime_ns))
    with opened(target, base) as room:
        assert (room.tree / "manage.py").read_text() == "# MANAGE.py\n"


def test_a_file_that_changed_while_it_was_copied_is_not_believed(
    target: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(mirror, "RACY", 10**12)  # as if all were changed a moment ago
        with opened(target, base):
            pass
    with opened(target, base) as room:
        assert room.changed == 4
    with opened(target, base) as room:
        assert room.changed == 0


def wreck(tree: Path) -> None:
    """What tests do to a tree."""
    status = (tree / "manage.py").stat()
    (tree / "manage.py").write_text("# MANAGE.py\n")  # same size …
    os.utime(tree / "manage.py", ns=(status.st_atime_ns, status.st_mtime_ns))  # … same mtime
    (tree / "data.txt").unlink()
    shutil.rmtree(tree / "app")
    (tree / "app").write_text("now a file")
    make(tree, "made/by/tests.py", "made/readonly/x")
    (tree / "data.txt").mkdir()
    (tree / "data.txt/full").write_text("")
    (tree / "made/readonly/x").chmod(0)
    (tree / "made/readonly").chmod(0)
    (tree / "made").chmod(0o500)
    os.mkfifo(tree / "fifo")
    (tree / "hanging").symlink_to("/nonexistent")


def test_whatever_tests_did_is_repaired(target: Path, base: Path) -> None:
    with opened(target, base) as room:
        wreck(room.tree)
    before = snapshot(target)
    with opened(target, base) as room:
        assert content(room.tree) == content(target)
        assert room.changed > 0
    with opened(target, base) as room:
        assert room.changed == 0
    assert snapshot(target) == before


def test_an_open_room_is_made_fresh_again(target: Path, base: Path) -> None:
    files = tuple(listed(target))
    with workspace.open(target, base, files=files) as room:
        (room.tree / "data.txt").unlink()
        (room.tree / "app/models.py").write_text("changed")
        (room.tree / "made.txt").touch()
        (room.home / ".cache").mkdir()
        (room.tmp / "left").touch()
        workspace.refresh(room, target, files)
        assert content(room.tree) == content(target)
        assert [*room.home.iterdir(), *room.tmp.iterdir()] == []


def test_rm_rf_is_repaired(target: Path, base: Path) -> None:
    for victim in ("tree", "home", "tmp", "manifest.json", ""):
        with opened(target, base) as room:
            pass
        path = base / victim
        path.unlink() if path.is_file() else shutil.rmtree(path)
        with opened(target, base) as room:
            assert content(room.tree) == content(target), victim
            assert room.home.is_dir()


def test_links_that_tests_made_to_the_target_are_no_way_into_it(target: Path, base: Path) -> None:
    with opened(target, base) as room:
        shutil.rmtree(room.tree / "app")
        (room.tree / "app").symlink_to(target / "app")
        (room.tree / "manage.py").unlink()
        (room.tree / "manage.py").symlink_to(target / "manage.py")
    before = snapshot(target)
    with opened(target, base) as room:
        assert content(room.tree) == content(target)
        assert not (room.tree / "app").is_symlink()
        shutil.rmtree(room.tree)
        room.tree.symlink_to(target)
        room.home.rmdir()
        room.home.symlink_to(target)
    with opened(target, base) as room:
        assert content(room.tree) == content(target)
        assert not room.tree.is_symlink()
        assert not room.home.is_symlink()
    assert snapshot(target) == before


def test_modes_of_folders_come_back(target: Path, base: Path) -> None:
    with opened(target, base) as room:
        (room.tree / "app/deep").chmod(0)
        (room.tree / "app").chmod(0o500)
        room.tree.chmod(0)
    with opened(target, base) as room:
        assert content(room.tree) == content(target)
        assert (room.tree / "app").stat().st_mode == (target / "app").stat().st_mode


def test_bytecode_is_kept_as_long_as_its_source_is_the_same(target: Path, base: Path) -> None:
    names = (
        "app/__pycache__/models.cpython-312.pyc",
        "__pycache__/manage.cpython-312-pytest-9.pyc",
    )
    stray = ("app/__pycache__/none.cpython-312.pyc", "app/__pycache__/x.txt", "app/models.pyc")
    with opened(target, base) as room:
        make(room.tree, *names, *stray)
    with opened(target, base) as room:
        assert {*names} == {*content(room.tree)} - {*content(target)}
        assert room.changed == 3
        make(room.tree, "app/models.py")
    with opened(target, base) as room:
        assert {names[1]} == {*content(room.tree)} - {*content(target)}
    (target / "manage.py").unlink()
    with opened(target, base) as room:
        assert content(room.tree) == content(target)


def test_links_inside_stay_links_and_stay_inside(target: Path, base: Path) -> None:
    links = {
        "same.py": ("manage.py", "manage.py"),
        "app/up.py": ("../manage.py", "../manage.py"),
        "folder": ("app/deep", "app/deep"),
        "absolute.py": (f"{target}/app/models.py", "app/models.py"),
        "app/round.py": (f"../../{target.name}/manage.py", "../manage.py"),
        "dangling": ("not/there", "not/there"),
        "loop": ("loop", "loop"),
        "self": (".", "."),
    }
    for name, (text, _) in links.items():
        (target / name).symlink_to(text)
    with opened(target, base) as room:
        for name, (_, text) in links.items():
            assert str((room.tree / name).readlink()) == text, name
        assert room.notes == ()
        (room.tree / "same.py").write_text("through the link")
        (room.tree / "absolute.py").write_text("through the link")
    assert (target / "manage.py").read_text() == "# manage.py\n"
    assert (target / "app/models.py").read_text() == "# app/models.py\n"
    with opened(target, base) as room:
        assert (room.tree / "manage.py").read_text() == "# manage.py\n"


def test_links_that_lead_out_become_copies(target: Path, base: Path, tmp_path: Path) -> None:
    outside = make(tmp_path / "outside", "settings.py", "shared/a.py", "shared/b/c.py")
    (outside / "shared/loop").symlink_to("..")
    (target / "settings.py").symlink_to(outside / "settings.py")
    (target / "app/shared").symlink_to("../../outside/shared")
    (target / "chain.py").symlink_to("settings.py")
    (target / "nowhere").symlink_to("/nonexistent/x")
    (target / "null").symlink_to("/dev/null")
    before = snapshot(outside)
    with opened(target, base) as room:
        found = content(room.tree)
        assert found["settings.py"] == found["chain.py"] == "# settings.py\n"
        assert found["app/shared/b/c.py"] == "# shared/b/c.py\n"
        assert not any("->" in text for text in found.values())
        assert room.notes == (
            "not copied: nowhere: a link out of the target, to nothing",
            "not copied: null: a link to a device",
        )
        (room.tree / "settings.py").write_text("")
        shutil.rmtree(room.tree / "app/shared")
    assert snapshot(outside) == before
    with opened(target, base) as room:
        assert content(room.tree) == found
    make(outside, "shared/a.py")
    with opened(target, base) as room:
        assert room.changed == 1


def test_a_link_to_a_large_folder_is_bounded(
    target: Path, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path / "large", *(f"{n}.py" for n in range(20)))
    (target / "large").symlink_to(tmp_path / "large")
    monkeypatch.setattr(sources, "OUTSIDE_FILES", 10)
    with opened(target, base) as room:
        assert len(list((room.tree / "large").iterdir())) == 10
        assert "copied only in part: large" in room.notes[0]


def test_a_glob_behind_a_link_does_not_confuse(target: Path, base: Path) -> None:
    (target / "link").symlink_to("app")
    with opened(target, base, copy=("link/*.py",)) as room:
        assert str((room.tree / "link").readlink()) == "app"
        assert content(room.tree) == content(target)


def test_pipes_and_sockets_are_left_out(target: Path, base: Path) -> None:
    os.mkfifo(target / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(target / "socket")) if len(str(target)) < 90 else None
        with opened(target, base) as room:
            assert not (room.tree / "pipe").exists()
            assert "not copied: pipe: neither file nor link" in room.notes


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_noted(target: Path, base: Path) -> None:
    (target / "data.txt").chmod(0)
    with opened(target, base) as room:
        assert room.notes == ("not copied: data.txt: Permission denied",)


def test_an_empty_folder_is_kept_without_git(target: Path, base: Path) -> None:
    (target / "media/empty").mkdir(parents=True)
    with opened(target, base) as room:
        assert (room.tree / "media/empty").is_dir()


def test_the_room_of_another_target_is_not_believed(target: Path, base: Path) -> None:
    with opened(target, base):
        pass
    shutil.copytree(target, target.with_name("twin"), copy_function=shutil.copy2)
    with opened(target.with_name("twin"), base) as room:
        assert room.changed == 4


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"\xff", b'{"root": 1}', b'{"root":"","entries":{}}']
)
def test_a_damaged_manifest_costs_a_copy(target: Path, base: Path, damage: bytes) -> None:
    with opened(target, base):
        pass
    (base / "manifest.json").write_bytes(damage)
    with opened(target, base) as room:
        assert room.changed == 4
        assert content(room.tree) == content(target)


def test_home_and_tmp_are_fresh(target: Path, base: Path) -> None:
    with opened(target, base) as room:
        make(room.home, ".config/x/y")
        make(room.tmp, "pytest/z")
        (room.home / ".config/x").chmod(0o500)
        (room.home / "out").symlink_to(target)
    before = snapshot(target)
    with opened(target, base) as room:
        assert list(room.home.iterdir()) == list(room.tmp.iterdir()) == []
        assert room.home.stat().st_mode & 0o777 == 0o700
    assert snapshot(target) == before


def test_endlessly_deep_folders_can_be_removed(target: Path, base: Path) -> None:
    with opened(target, base) as room:
        here = os.open(".", os.O_RDONLY)
        try:
            os.chdir(room.tmp)
            for _ in range(1500):
                Path("deeper").mkdir()
                os.chdir("deeper")
                Path("f").touch()
        finally:
            os.fchdir(here)
            os.close(here)
    try:
        with opened(target, base) as room:
            assert list(room.tmp.iterdir()) == []
            left = sorted(p.name for p in base.iterdir())
            assert left == ["home", "manifest.json", "tmp", "tree"]
    finally:
        # pytest cannot remove such a thing, and fails in a later session.
        subprocess.run(["rm", "-rf", str(base)], check=True)


def test_what_cannot_be_removed_is_an_error_that_names_it(
    target: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: str) -> None:
        raise PermissionError(1, "Operation not permitted", path)

    with opened(target, base) as room:
        make(room.tmp, "x")
    monkeypatch.setattr(os, "unlink", refuse)
    with pytest.raises(InfraError, match=r"cannot remove .*Operation not permitted") as caught:
        removal.remove(base / "tmp", base / "trash")
    assert str(base / "tmp") in caught.value.hint


# --- two at once, and sudden ends -------------------------------------------------------------


def test_a_room_in_use_is_left_alone(target: Path, base: Path) -> None:
    with opened(target, base) as one, opened(target, base) as two:
        assert (one.tree, two.tree) == (base / "tree", base.with_name(f"{base.name}-2") / "tree")
        make(one.tree, "mine.py")
        with opened(target, base) as three:
            assert three.tree.parent.name.endswith("-3")
        assert (one.tree / "mine.py").exists()
    with opened(target, base) as one:
        assert one.tree == base / "tree"
        assert not (one.tree / "mine.py").exists()


def test_rooms_are_bounded(target: Path, base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workspace, "SLOTS", 1)
    with (
        opened(target, base),
        pytest.raises(InfraError, match="in use"),
        opened(target, base),
    ):
        pass


def test_an_error_inside_gives_the_room_back(target: Path, base: Path) -> None:
    with pytest.raises(KeyError), opened(target, base):
        raise KeyError
    with opened(target, base) as room:
        assert room.tree == base / "tree"


OPEN = """
import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1])
from djhop.processes.process import Spawner
from djhop.workspace import visible, workspace
target, base = map(Path, sys.argv[2:])
while True:
    with workspace.open(target, base, files=visible.files(target, Spawner())) as room:
        assert room.tree.parent.name == base.name
        print("open", flush=True)
        (room.tree / "app/models.py").unlink()
        (room.tree / "junk").write_text("x")
"""


def test_sigkill_at_any_moment_costs_only_copying(target: Path, base: Path) -> None:
    make(target, *(f"many/{n}/{m}.py" for n in range(20) for m in range(10)))
    source, chance = str(Path(workspace.__file__).parents[2]), random.Random(7)
    argv = [sys.executable, "-c", OPEN, source, str(target), str(base)]
    before = snapshot(target)
    for _ in range(12):
        with subprocess.Popen(argv, stdout=subprocess.PIPE) as child:
            assert child.stdout
            assert child.stdout.readline() == b"open\n"
            time.sleep(chance.random() * 0.06)
            child.send_signal(signal.SIGKILL)
        with opened(target, base) as room:
            assert room.tree == base / "tree"
            assert content(room.tree) == content(target)
    assert snapshot(target) == before


def test_a_crash_in_the_middle_of_a_copy_is_repaired(
    target: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for stop in range(1, 5):
        copied = 0

        def half(found: int, made: int, stop: int = stop) -> None:
            nonlocal copied
            copied += 1
            os.write(made, b"# man")
            if copied == stop:
                raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(mirror, "_copy_bytes", half)
            with pytest.raises(KeyboardInterrupt), opened(target, base):
                pass
        with opened(target, base) as room:
            assert content(room.tree) == content(target)
        shutil.rmtree(base)


def test_without_copy_file_range(target: Path, base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "copy_file_range")
    with opened(target, base) as room:
        assert content(room.tree) == content(target)


def test_opening_again_is_cheap(target: Path, base: Path) -> None:
    """2,000 files under 0.3 s, listing included; CPU seconds, as the machine may be busy."""
    make(target, *(f"pkg{n}/module{m}.py" for n in range(40) for m in range(50)))
    git(target, "init", "-q")
    best = 9.0
    for _ in range(4):
        started = time.process_time()
        with opened(target, base) as room:
            best = min(best, time.process_time() - started)
    assert (room.files, room.changed) == (2004, 0)
    assert best < 0.3, best
