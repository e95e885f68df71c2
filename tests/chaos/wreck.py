"""Whatever tests do to their own copy, the target stays as it is, byte for byte."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
from pathlib import Path

from chaos.site import CELLS, MATRIX, Site

#: Each test wrecks the copy further; the first sees that the copy was whole.
TESTS = """\
import os, shutil, stat, subprocess
from pathlib import Path
from django.test import SimpleTestCase

HERE = Path(__file__).parent
def git(*words):
    who = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    return subprocess.call(["git", "-C", str(HERE), *who, *words], stdout=subprocess.DEVNULL)

class Wreck(SimpleTestCase):
    def test_a_whole(self):
        self.assertEqual((HERE / "data/read-only.txt").read_text(), "kept\\n")
        self.assertEqual(stat.S_IMODE((HERE / "data/read-only.txt").stat().st_mode), 0o444)
        self.assertEqual((HERE / "data/twin.txt").read_text(), "twins\\n")
        self.assertEqual((HERE / "outside.txt").read_text(), "outside\\n")
        self.assertEqual((HERE / "outside/deep.txt").read_text(), "outside\\n")
        self.assertEqual((HERE / "inside.txt").read_text(), "twins\\n")
    def test_b_writes(self):
        for path in HERE.rglob("*.txt"):
            path.chmod(0o600)
            with path.open("r+") as file:
                file.write("WRECKED")
            path.write_text("WRECKED")
            os.utime(path, (1, 1))
    def test_c_links(self):
        (HERE / "data/read-only.txt").unlink()
        (HERE / "data/read-only.txt").symlink_to("/nowhere/at/all")
        (HERE / "up").symlink_to("..")
        (HERE / "loop").symlink_to("loop")
        os.link(HERE / "data/twin.txt", HERE / "data/third.txt")
        (HERE / "app").rename(HERE / "elsewhere")
        (HERE / "app").symlink_to("elsewhere")
    def test_d_modes(self):
        for path in [HERE, *HERE.rglob("*")]:
            if not path.is_symlink():
                path.chmod(0o777)
        (HERE / "closed").mkdir()
        (HERE / "closed/file").touch()
        (HERE / "closed").chmod(0)
    def test_e_git(self):
        (HERE / "new.py").touch()
        for words in ("add -A -f", "commit -q -m x", "config core.bare false", "tag wrecked",
                      "branch wrecked", "gc -q --prune=now", "update-ref -d refs/heads/main",
                      "reflog expire --expire=now --all", "clean -q -f -d -x", "reset -q --hard"):
            git(*words.split())
    def test_f_everything(self):
        subprocess.call("chmod -R u+rwx . ; rm -rf ./* ./.[!.]*", shell=True, cwd=HERE)
        shutil.rmtree(HERE, ignore_errors=True)
"""


def lay(base: Path) -> tuple[Site, Path]:
    """A target with all that could lead out of a copy of it, and what lies outside."""
    site, outside = Site(base, TESTS, MATRIX), base / "beyond"
    root = site.target
    for folder in (root / "data", root / "app", outside / "folder"):
        folder.mkdir(parents=True)
    (root / "app" / "__init__.py").touch()
    (root / "data" / "read-only.txt").write_text("kept\n")
    (root / "data" / "twin.txt").write_text("twins\n")
    (root / "data" / "other-twin.txt").hardlink_to(root / "data" / "twin.txt")
    for name in ("file.txt", "folder/deep.txt"):
        (outside / name).write_text("outside\n")
    (root / "outside.txt").symlink_to(outside / "file.txt")
    (root / "outside").symlink_to("../beyond/folder")
    (root / "inside.txt").symlink_to("data/twin.txt")
    (root / "data" / "read-only.txt").chmod(0o444)
    (root / "data").chmod(0o555)
    git = ("git", "-C", str(root), "-c", "user.name=a", "-c", "user.email=a@example.org")
    for words in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-q", "-m", "first")):
        subprocess.run([*git, *words], check=True)
    (root / "data").chmod(0o755)
    (root / "untracked.txt").write_text("untracked\n")
    (root / "data").chmod(0o555)
    for path in root.rglob("*"):
        if not path.is_symlink():
            os.utime(path, ns=(10**18, 10**18 + 123_456_789))
    return site, outside


def state(*tops: Path) -> dict[str, tuple[object, ...]]:
    """Each path below → everything that its file system says of it, but when it was read."""
    found: dict[str, tuple[object, ...]] = {}
    for path in (path for top in tops for path in (top, *top.rglob("*"))):
        sign = path.lstat()
        content = b""
        if stat.S_ISLNK(sign.st_mode):
            content = os.fsencode(path.readlink())
        elif stat.S_ISREG(sign.st_mode):
            content = path.read_bytes()
        signs = (sign.st_mode, sign.st_uid, sign.st_gid, sign.st_ino, sign.st_nlink, sign.st_size)
        times = (sign.st_mtime_ns, sign.st_ctime_ns)
        found[str(path)] = (*signs, *times, hashlib.sha256(content).hexdigest())
    return found


def run(base: Path, seed: int, times: int) -> str:
    """Wreck the copies so many times; return the figure."""
    site, outside = lay(base)
    before = state(site.target, outside)
    for _ in range(times):
        assert site.run() == 0, site.said()
        for cell in CELLS:
            tests = {t["id"].rpartition(".")[2]: t["strict"] for t in site.cell(cell)["tests"]}
            assert set(tests.values()) == {"passed"}, tests
            assert len(tests) == 6, tests
        after = state(site.target, outside)
        touched = sorted(name for name, _ in before.items() ^ after.items())
        assert not touched, touched
    passes = times * len(CELLS)
    return f"{passes} copies wrecked in 5 ways each, {len(before)} paths of the target untouched"
