"""A suite that is as loud as it can be: what is kept is bounded, and so is djhop's memory."""

from __future__ import annotations

import time
from pathlib import Path

from chaos.site import Site

CELL = "py3.12-django5.2"
MATRIX = """\
steps = ["5.2"]
python = "3.12"
only = ["tests"]
packages = ["pytest"]
test = {argv}
set-env = {{ LOUD = "{loud}", WARNINGS = "{warnings}" }}
"""
SUITES = {
    "manage.py": '["python", "manage.py", "test"]',
    "pytest": '["pytest", "test_it.py"]',
}
#: At LOUD = 1000: 1 GB of output, and a message of 100 MB.
TESTS = """\
import os, sys, warnings
from unittest import TestCase

LOUD = int(os.environ["LOUD"])

class Loud(TestCase):
    def test_a_prints(self):
        for _ in range(LOUD):
            os.write(1, b"x" * 999_999 + b"\\n")
    def test_b_bytes(self):
        data = b"\\xff\\xfe\\x00\\x1b]0;title\\x07\\x1b[31m\\r\\n::error::x\\n"
        os.write(1, data * LOUD)
    def test_c_warns(self):
        for number in range(int(os.environ["WARNINGS"])):
            warnings.warn("old %d" % number, DeprecationWarning)
    def test_d_fails(self):
        raise AssertionError("z\\x00\\x1b[31m\\udcff" * (12_500 * LOUD))
    def test_e_passes(self):
        pass
"""
#: Bytes, of djhop and all that it starts but the suite itself.
MOST = 300e6
#: Bytes of output kept of a pass, and as much again for what is said of it.
KEPT = (16 << 20) + (1 << 17)


def peaks(site: Site, out: str) -> tuple[int, dict[str, int]]:
    """Run djhop; return its exit code, and the peak memory of it and of what it started."""
    process, found = site.start("run", "target", out=out), dict[str, int]()
    while (code := process.poll()) is None:
        others = [pid for pid in site.processes() if pid != process.pid]
        for pid in (process.pid, *others):
            _look(pid, "djhop" if pid == process.pid else "", found)
        for _ in range(20):  # the most is often reached in the end
            _look(process.pid, "djhop", found)
            time.sleep(0.005)
    return code, found


def _look(pid: int, name: str, found: dict[str, int]) -> None:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return
    if not name:
        suite = b"djhop_probe" in words or Path(words[0].decode()).name != "uv"
        name = "the suite" if suite else "uv"
    for line in lines:
        if line.startswith("VmHWM:"):
            found[name] = max(found.get(name, 0), int(line.split()[1]) * 1024)


def check(site: Site, suite: str, loud: int, warnings: int) -> str:
    """Run one suite; return its figures."""
    matrix = MATRIX.format(argv=SUITES[suite], loud=loud, warnings=warnings)
    (site.target / "djhop.toml").write_text(matrix)
    (site.target / "test_it.py").write_text(TESTS)
    code, found = peaks(site, suite)
    cell, said = site.cell(CELL, suite), site.said()
    assert (code, cell["status"]) == (1, "failed"), f"{suite}: exit code {code}: {said[-3000:]}"
    tests = {t["id"].replace("::", ".").rpartition(".")[2]: t["plain"] for t in cell["tests"]}
    assert tests == {
        "test_a_prints": "passed",
        "test_b_bytes": "passed",
        "test_c_warns": "passed",
        "test_d_fails": "failed",
        "test_e_passes": "passed",
    }, tests
    peak = max(size for name, size in found.items() if name != "the suite")
    assert peak < MOST, f"{suite}: {found}"
    folder = (site.base / suite / "latest").resolve()
    for log in folder.glob("cells/*/log-*.txt"):
        assert log.stat().st_size <= KEPT, log
        if suite == "manage.py" and loud > 16:
            assert b"more bytes of output dropped" in log.read_bytes()[-200:], log
    notes = " ".join(cell["notes"])
    if warnings > 100_000:
        assert "more than 100000 warnings" in notes, notes
    assert "\x1b" not in said
    assert "\0" not in said
    disk = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    sizes = ", ".join(f"{name} {size / 1e6:.0f} MB" for name, size in sorted(found.items()))
    noise = f"{loud} MB of output, {warnings} warnings, a message of {loud / 10:.0f} MB"
    return f"{suite}, {noise}: at most {sizes}; {disk / 1e6:.0f} MB kept"


def run(base: Path, seed: int, times: int) -> str:
    """Let each kind of suite print so many megabytes; return the figures.

    pytest keeps every warning in memory until the end, and is slow to show a long message: it gets
    a tenth of it, and few warnings.
    """
    site = Site(base, TESTS)
    told = check(site, "manage.py", times, 10_000 * times)
    return f"{told}; {check(site, 'pytest', max(1, times // 10), 300 * times)}"
