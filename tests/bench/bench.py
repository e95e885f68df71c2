"""Time djhop against nox, tox and a bare loop on the same cells, in the same run; print ratios.

Every contestant does the same work in each cell: an environment made by uv, the suite under
coverage, `-W error::DeprecationWarning` and JUnit XML, two cells at a time. They take turns, so
that a machine whose speed drifts slows them alike; what counts is the ratio to the bare loop.

    python tests/bench/bench.py            12 small cells, cold and warm
    python tests/bench/bench.py drf        djangorestframework's suite on Python 3.12
    python tests/bench/bench.py start      start-up: --help, plan
    python tests/bench/bench.py locks      12 locks of 60 requirements, against `uv pip compile`
    python tests/bench/bench.py copies     a cell's copy of 2,000 files, against cp and git
    python tests/bench/bench.py causes     saying why, against a run of djangorestframework's suite
"""

from __future__ import annotations

import argparse
import concurrent.futures
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import causes
import copies
import locks
import uv

UV = uv.find_uv_bin()
SERIES = ("4.2", "5.0", "5.1", "5.2")
PYTHONS = ("3.10", "3.11", "3.12")
SCRUBBED = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "VIRTUAL_ENV")


class Bench:
    """One benchmark: a target, its cells, and the folder everything is made in."""

    def __init__(self, home: Path, pythons: dict[str, str], series: tuple[str, ...]) -> None:
        self.home = home
        self.target = home / "target"
        self.pythons = pythons
        self.series = series
        self.requirements = ["pytest", "pytest-django"]
        self.settings = "bench.settings"
        #: Tests that every contestant leaves out.
        self.deselected: list[str] = []
        self.env = {k: v for k, v in os.environ.items() if k not in SCRUBBED}
        self.env["DJHOP_CACHE"] = str(home / "djhop-cache")
        self.env["PATH"] = os.pathsep.join(
            [
                str(Path(sys.executable).parent),
                *(str(Path(exe).parent) for exe in pythons.values()),
                self.env["PATH"],
            ]
        )

    @property
    def cells(self) -> list[tuple[str, str]]:
        return [(series, python) for python in self.pythons for series in self.series]

    def run(self, argv: list[str], ok: tuple[int, ...] = (0,), **env: str) -> None:
        done = subprocess.run(
            argv, cwd=self.target, env={**self.env, **env}, capture_output=True, check=False
        )
        if done.returncode not in ok:
            sys.exit(
                f"{' '.join(argv)} ended with {done.returncode}\n"
                + done.stdout.decode(errors="replace")[-3000:]
                + done.stderr.decode(errors="replace")[-3000:]
            )

    # Each contestant: forget(), so that the next run is cold, and go().

    def bare_forget(self) -> None:
        shutil.rmtree(self.home / "bare", ignore_errors=True)

    def bare_go(self) -> None:
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda cell: self._bare_cell(*cell), self.cells))

    def _bare_cell(self, series: str, python: str) -> None:
        venv = self.home / "bare" / f"{python}-{series}"
        if not venv.exists():
            self.run([UV, "venv", "-q", "--python", self.pythons[python], str(venv)])
        exe = str(venv / "bin" / "python")
        packages = [f"django=={series}.*", "coverage", *self.requirements]
        self.run([UV, "pip", "install", "-q", "--python", exe, *packages])
        self.run(
            [exe, *self._suite(venv)],
            COVERAGE_FILE=str(venv / ".coverage"),
            PYTHONPATH=str(self.target),
        )

    def _suite(self, folder: Path | str) -> list[str]:
        return [
            *(
                "-m",
                "coverage",
                "run",
                "--source=.",
                "-m",
                "pytest",
                "-q",
                "-p",
                "no:cacheprovider",
            ),
            *("-W", "error::DeprecationWarning", f"--ds={self.settings}"),
            f"--junitxml={folder}/junit.xml",
            *(f"--deselect={test}" for test in self.deselected),
        ]

    def nox_forget(self) -> None:
        shutil.rmtree(self.home / "nox", ignore_errors=True)

    def nox_go(self) -> None:
        noxfile = self.home / "noxfile.py"
        noxfile.write_text(
            "import nox\n"
            "nox.options.default_venv_backend = 'uv'\n"
            "nox.options.reuse_venv = 'yes'\n"
            f"@nox.session(python={list(self.pythons)!r}, allow_parallel=True)\n"
            f"@nox.parametrize('django', {list(self.series)!r})\n"
            "def cell(session, django):\n"
            f"    session.install(f'django=={{django}}.*', 'coverage', *{self.requirements!r})\n"
            "    tmp = session.create_tmp()\n"
            f"    session.chdir({str(self.target)!r})\n"
            f"    session.run('python', *[a.replace('TMP', tmp) for a in {self._suite('TMP')!r}],\n"
            "        env={'COVERAGE_FILE': tmp + '/.coverage', 'PYTHONPATH': '.'})\n"
        )
        self.run(
            [
                *(sys.executable, "-m", "nox", "-f", str(noxfile), "-j2"),
                *("--envdir", str(self.home / "nox")),
            ]
        )

    def tox_forget(self) -> None:
        shutil.rmtree(self.home / "tox", ignore_errors=True)

    def tox_go(self) -> None:
        factors = ",".join(s.replace(".", "") for s in self.series)
        pythons = ",".join(p.replace(".", "") for p in self.pythons)
        deps = "".join(
            f"    dj{s.replace('.', '')}: django=={s}.*\n" for s in self.series
        ) + "".join(f"    {name}\n" for name in ["coverage", *self.requirements])
        ini = self.home / "tox.ini"
        ini.write_text(
            f"[tox]\nno_package = true\nenv_list = py{{{pythons}}}-dj{{{factors}}}\n"
            f"work_dir = {self.home}/tox\n"
            f"[testenv]\ndeps =\n{deps}"
            f"change_dir = {self.target}\n"
            "set_env =\n    COVERAGE_FILE = {env_tmp_dir}/.coverage\n    PYTHONPATH = .\n"
            f"commands = python {' '.join(self._suite('{env_tmp_dir}'))}\n"
        )
        self.run([sys.executable, "-m", "tox", "run-parallel", "-p", "2", "-c", str(ini)])

    def djhop_forget(self) -> None:
        shutil.rmtree(self.home / "djhop-cache", ignore_errors=True)

    def djhop_go(self, *options: str) -> None:
        matrix = self.home / "matrix.toml"
        matrix.write_text(
            f"only = ['tests']\nsteps = {json.dumps(self.series)}\npythons = {json.dumps(list(self.pythons))}\n"
            f"python = {json.dumps(next(iter(self.pythons)))}\nsettings = '{self.settings}'\n"
            f"packages = {json.dumps(self.requirements)}\n"
            f"test = {json.dumps(['pytest', *(f'--deselect={t}' for t in self.deselected)])}\n"
        )
        out = self.home / "runs"
        shutil.rmtree(out, ignore_errors=True)
        self.run(
            [
                *(sys.executable, "-m", "djhop", "run", str(self.target), "--jobs", "2"),
                *("--matrix", str(matrix), "--out", str(out), *options),
            ],
            ok=(0, 1),
        )


def make_small_target(folder: Path) -> None:
    """A project of 29 tests that passes everywhere, strictly too."""
    package = folder / "bench"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "settings.py").write_text(
        "SECRET_KEY = 'x'\nUSE_TZ = True\nDEFAULT_AUTO_FIELD = 'django.db.models.BigAutoField'\n"
        "INSTALLED_APPS = ['django.contrib.contenttypes', 'django.contrib.auth', 'bench']\n"
        "DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': ':memory:'}}\n"
    )
    (package / "models.py").write_text(
        "from django.db import models\n\n\nclass Entry(models.Model):\n"
        "    title = models.CharField(max_length=80)\n    number = models.IntegerField()\n\n"
        "    def twice(self):\n        if self.number < 0:\n            return 0\n"
        "        return self.number * 2\n"
    )
    (package / "test_entries.py").write_text(
        "import pytest\nfrom django.contrib.auth.models import User\n"
        "from bench.models import Entry\n\n\n"
        "@pytest.mark.django_db\n@pytest.mark.parametrize('number', range(-9, 20))\n"
        "def test_entry(number):\n"
        "    User.objects.create(username=f'u{number}')\n"
        "    entry = Entry.objects.create(title='t', number=number)\n"
        "    assert Entry.objects.get(pk=entry.pk).twice() == max(0, number * 2)\n"
    )
    (folder / "requirements.txt").write_text("django\npytest\npytest-django\n")
    (folder / "pytest.ini").write_text("[pytest]\n")


def alternate(contestants: dict[str, Callable[[], None]], rounds: int) -> dict[str, list[float]]:
    """Run the contestants in turn, `rounds` times; wall seconds of each."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds):
        names = list(contestants)
        for name in names[number % len(names) :] + names[: number % len(names)]:
            started = time.perf_counter()
            contestants[name]()
            seconds[name].append(time.perf_counter() - started)
            print(f"  {number + 1}/{rounds} {name}: {seconds[name][-1]:.2f} s", file=sys.stderr)
    return seconds


def show(title: str, seconds: dict[str, list[float]], base: str) -> None:
    """Print wall seconds (min, median, max) and the median ratio to `base`, round by round."""
    print(f"\n{title}\n{'':24}{'min':>8}{'median':>8}{'max':>8}   ratio to {base}")
    for name, values in seconds.items():
        ratio = statistics.median(a / b for a, b in zip(values, seconds[base], strict=True))
        print(
            f"{name:24}{min(values):8.3f}{statistics.median(values):8.3f}{max(values):8.3f}"
            f"   {ratio:.2f}"
        )


def matrix_bench(bench: Bench, rounds: int, peers: tuple[str, ...]) -> None:
    """Cold and warm runs of the same cells by every contestant."""

    def cold(name: str) -> Callable[[], None]:
        def both() -> None:
            getattr(bench, f"{name}_forget")()
            getattr(bench, f"{name}_go")()

        return both

    bench.bare_go()  # so that nobody pays for uv's downloads
    cells = f"{len(bench.cells)} cells"
    show(f"{cells}, cold", alternate({n: cold(n) for n in peers}, rounds), "bare")
    warm = {n: getattr(bench, f"{n}_go") for n in peers}
    if "djhop" in warm:
        warm["djhop --recreate"] = lambda: bench.djhop_go("--recreate")
    show(f"{cells}, warm", alternate(warm, rounds), "bare")


def start_bench(bench: Bench, rounds: int) -> None:
    """How long djhop takes to say something."""
    djhop = [sys.executable, "-m", "djhop"]
    seconds = alternate(
        {
            "python -c pass": lambda: bench.run([sys.executable, "-c", "pass"]),
            "djhop --help": lambda: bench.run([*djhop, "--help"]),
            "djhop plan": lambda: bench.run([*djhop, "plan", "--from=4.2"]),
        },
        rounds,
    )
    show("start-up", seconds, "python -c pass")


def find_pythons(wanted: tuple[str, ...]) -> dict[str, str]:
    """The interpreters to use, found by djhop itself."""
    done = subprocess.run(
        [sys.executable, "-m", "djhop", "doctor", "--json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = {row["python"]: row["path"] for row in json.loads(done.stdout)["interpreters"]}
    return {python: found[python] for python in wanted if python in found}


def main() -> None:
    """Parse the arguments and run the benchmark that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "what",
        nargs="?",
        default="matrix",
        choices=["matrix", "drf", "start", "locks", "copies", "causes"],
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peers", default="bare,nox,tox,djhop")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="djhop-bench-") as folder:
        home = Path(folder)
        peers = tuple(options.peers.split(","))
        if options.what == "copies":
            copies.make_target(home / "target")
            copies.bench_copies(home / "target", home, options.rounds, alternate, show)
            return
        if options.what == "causes":
            bench = Bench(home, find_pythons(("3.10",)), ("4.2", "5.2"))
            causes.bench_causes(bench, oracle().fetch_sdist, options.rounds)
            return
        if options.what == "drf":
            bench = Bench(home, find_pythons(("3.12",)), ("4.2", "5.0", "5.1", "5.2"))
            make_drf(bench)
        else:
            bench = Bench(home, find_pythons(PYTHONS), SERIES)
            make = locks.make_target if options.what == "locks" else make_small_target
            make(bench.target)
        if options.what == "locks":
            locks.bench_locks(bench, UV, options.rounds, alternate, show)
        elif options.what == "start":
            start_bench(bench, options.rounds)
        else:
            matrix_bench(bench, options.rounds, peers)


def oracle() -> Any:
    """The tests' own module that gets source distributions from PyPI."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    import oracle as found  # type: ignore[import-not-found]

    return found


def make_drf(bench: Bench) -> None:
    """djangorestframework 3.16.1 from PyPI: about 1,500 tests that pass strictly, but for one."""
    bench.target = oracle().fetch_sdist("djangorestframework", "3.16.1", bench.home / "sdist")
    bench.requirements += ["pytz", "pyyaml", "inflection", "uritemplate"]
    bench.settings = ""
    # It fails with the newest patch of Django 5.2: djhop alone would run that cell twice.
    bench.deselected = ["tests/test_parsers.py::TestFileUploadParser::test_get_encoded_filename"]


if __name__ == "__main__":
    main()
