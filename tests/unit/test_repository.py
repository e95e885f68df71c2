"""What a cell sees of the target's git repository, asked with real git."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from gitting import git

from djhop.processes.process import Spawner
from djhop.workspace import repository, visible, workspace

SECRET = "hunter2hunter2"


def commit(root: Path, name: str) -> None:
    (root / name).write_text(f"{name}\n")
    git(root, "add", name)
    git(root, "commit", "-qm", name)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    root.mkdir()
    git(root, "init", "-q", "-b", "trunk")
    commit(root, "a.py")
    git(root, "tag", "-a", "1.5", "-m", "1.5")
    commit(root, "b.py")
    return root


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return tmp_path / "rooms" / "cell"


def opened(root: Path, base: Path) -> Path:
    with workspace.open(root, base, files=visible.files(root, Spawner())) as room:
        return room.tree


def looks(root: Path) -> dict[str, tuple[int, int, bytes]]:
    return {
        str(path): (path.stat().st_mtime_ns, path.stat().st_mode, path.read_bytes())
        for path in sorted((root / ".git").rglob("*"))
        if path.is_file()
    }


def described(folder: Path) -> str:
    return git(folder, "describe", "--dirty", "--tags", "--long", "--match", "*[0-9]*")


def test_a_cell_sees_history_tags_and_a_clean_tree(target: Path, base: Path) -> None:
    tree = opened(target, base)
    assert described(tree) == described(target)
    assert described(tree).startswith("1.5-1-g")
    assert git(tree, "log", "--format=%H %D") == git(target, "log", "--format=%H %D")
    assert git(tree, "ls-files") == "a.py\nb.py\n"
    assert git(tree, "status", "--porcelain") == ""
    assert git(tree, "rev-parse", "--show-toplevel").strip() == str(tree)


def test_objects_of_a_large_repository_are_read_where_they_lie(
    target: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repository, "FILES", 3)
    tree = opened(target, base)
    assert git(tree, "log", "--format=%H %D") == git(target, "log", "--format=%H %D")
    assert not [*(base / "git" / "objects").glob("??/*")]


def test_what_is_not_committed_is_seen_as_well(target: Path, base: Path) -> None:
    (target / "a.py").write_text("changed\n")
    (target / "new.py").touch()
    (target / "b.py").unlink()
    git(target, "add", "-N", "new.py")
    tree = opened(target, base)
    assert git(tree, "status", "--porcelain") == git(target, "status", "--porcelain")
    assert described(tree).endswith("-dirty\n")


def test_nothing_that_a_test_does_reaches_the_target_or_the_next_pass(
    target: Path, base: Path
) -> None:
    for path in (target / ".git" / "objects").rglob("*"):
        os.utime(path, (10**9, 10**9))
    before = looks(target)
    tree = opened(target, base)
    first = described(tree)
    git(tree, "hash-object", "-w", "a.py")  # is there already: its file gets a new mtime
    commit(tree, "evil.py")
    git(tree, "tag", "9.9")
    git(tree, "branch", "-f", "other")
    git(tree, "gc", "-q", "--prune=now")
    git(tree, "reflog", "expire", "--all", "--expire=now")
    assert described(tree) != first
    assert looks(target) == before
    assert described(opened(target, base)) == first
    shutil.rmtree(tree.parent / "git")
    assert described(opened(target, base)) == first
    (tree / ".git").unlink()
    git(tree, "init", "-q")  # once a file, now a folder
    assert described(opened(target, base)) == first
    assert looks(target) == before


def test_remotes_hooks_and_filters_stay_outside(target: Path, base: Path) -> None:
    git(target, "remote", "add", "origin", f"https://me:{SECRET}@example.com/shop.git")
    git(target, "config", "filter.lfs.smudge", "false")
    git(target, "config", "core.hooksPath", str(target / "hooks"))
    git(target, "config", "core.autocrlf", "input")
    tree = opened(target, base)
    config = (tree.parent / "git" / "config").read_text()
    assert git(tree, "config", "core.autocrlf") == "input\n"
    assert not [word for word in (SECRET, "origin", "lfs", "hooks") if word in config]


def test_packed_refs_and_worktrees_and_borrowed_objects(target: Path, tmp_path: Path) -> None:
    git(target, "gc", "-q")
    git(target, "worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    commit(tmp_path / "side", "c.py")
    git(tmp_path, "clone", "-q", "--shared", str(target), str(tmp_path / "shared"))
    for name in ("shop", "side", "shared"):
        root = tmp_path / name
        tree = opened(root, tmp_path / "rooms" / name)
        assert described(tree) == described(root), name
        assert git(tree, "status", "--porcelain") == "", name
        assert git(tree, "fsck", "--connectivity-only") == "", name
    assert described(tmp_path / "rooms/side/tree").startswith("1.5-2-g")


def test_objects_of_sha256(tmp_path: Path) -> None:
    root = tmp_path / "new"
    root.mkdir()
    git(root, "init", "-q", "--object-format=sha256")
    commit(root, "a.py")
    tree = opened(root, tmp_path / "rooms" / "new")
    assert git(tree, "rev-parse", "HEAD") == git(root, "rev-parse", "HEAD")
    assert len(git(tree, "rev-parse", "HEAD").strip()) == 64


def test_a_shallow_clone(target: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{target}", str(tmp_path / "shallow"))
    tree = opened(tmp_path / "shallow", tmp_path / "rooms" / "shallow")
    assert git(tree, "rev-list", "--count", "HEAD") == "1\n"


def test_no_repository_no_view(target: Path, base: Path, tmp_path: Path) -> None:
    inner = target / "backend"
    inner.mkdir()
    plain = tmp_path / "plain"
    plain.mkdir()
    broken = tmp_path / "broken"
    (broken / ".git").mkdir(parents=True)
    dangling = tmp_path / "dangling"
    dangling.mkdir()
    (dangling / ".git").write_text("gitdir: ../nowhere\n")
    for root in (inner, plain, broken, dangling):
        tree = opened(root, base)
        assert not (tree / ".git").exists()
        assert not (tree.parent / "git").exists()
        assert repository.state(tree) == ""


def test_the_state_changes_with_head_and_with_tags(target: Path, base: Path) -> None:
    first = repository.state(opened(target, base))
    assert first
    assert first == repository.state(opened(target, base))
    (target / "a.py").write_text("not committed\n")
    assert repository.state(opened(target, base)) == first
    git(target, "tag", "2.0")
    second = repository.state(opened(target, base))
    assert second != first
    git(target, "checkout", "-q", "-b", "elsewhere", "HEAD~1")
    assert repository.state(opened(target, base)) not in (first, second)
