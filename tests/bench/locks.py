"""The locks of 12 cells of a project with 60 requirements, against plain `uv pip compile`.

Cold: djhop has kept no lock; uv's own cache is the machine's. Warm: nothing has changed.
"""

from __future__ import annotations

import concurrent.futures
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench import Bench

#: As of January 2024; ranges where a pin would allow no series up to 5.2. {django} is the hop's.
REQUIREMENTS = """
django{django}
djangorestframework==3.14.0
django-filter==23.5
django-allauth==0.60.1
django-cors-headers==4.3.1
django-debug-toolbar==4.2.0
django-environ==0.11.2
django-extensions==3.2.3
django-storages[s3]==1.14.2
django-redis==5.4.0
django-crispy-forms==2.1
crispy-bootstrap5==2023.10
django-model-utils==4.3.1
django-mptt==0.16.0
django-taggit==5.0.1
django-import-export==3.3.5
django-simple-history==3.4.0
django-guardian==2.4.0
django-celery-beat>=2.5
django-celery-results==2.5.1
django-axes==6.3.0
django-otp==1.3.0
django-phonenumber-field[phonenumbers]==7.3.0
django-countries==7.5.1
django-money>=3.4,<4
django-polymorphic==3.1.0
django-health-check==3.17.0
django-widget-tweaks==1.5.0
django-compressor==4.4
django-anymail==10.2
django-silk==5.0.4
django-waffle==4.1.0
django-solo==2.2.0
django-ipware==6.0.3
drf-spectacular==0.27.0
drf-nested-routers==0.93.5
djangorestframework-simplejwt==5.3.1
djangorestframework-camel-case==1.4.2
celery[redis]==5.3.6
redis==5.0.1
psycopg2-binary==2.9.9
gunicorn==21.2.0
whitenoise==6.6.0
sentry-sdk==1.39.2
boto3>=1.34,<2
requests>=2.31,<3
httpx==0.26.0
Pillow==10.2.0
pydantic==2.5.3
python-dateutil>=2.8
beautifulsoup4==4.12.2
lxml==5.1.0
openpyxl==3.1.2
Markdown==3.5.2
bleach==6.1.0
cryptography>=41,<43
stripe==7.11.0
structlog==24.1.0
tenacity==8.2.3
pytest-django==4.7.0
"""


def make_target(folder: Path) -> None:
    """A project that states 60 requirements; its suite is never run."""
    (folder / "tests").mkdir(parents=True)
    (folder / "tests" / "test_nothing.py").write_text("def test_nothing():\n    pass\n")
    (folder / "settings.py").write_text("SECRET_KEY = 'x'\n")
    (folder / "pytest.ini").write_text("[pytest]\nDJANGO_SETTINGS_MODULE = settings\n")
    tools = (
        f"[tool.other{n}]\nkeys = ['a', 'b']\ntext = 'as long as such files get'\n"
        for n in range(150)
    )
    (folder / "pyproject.toml").write_text("".join(tools))
    text = REQUIREMENTS.strip().format(django="==4.2.9") + "\n"
    assert text.count("\n") == 60
    (folder / "requirements.txt").write_text(text)


class Locks:
    """Both contestants; each leaves its locks in a folder of its own."""

    def __init__(self, bench: Bench, uv: str) -> None:
        self.bench, self.uv = bench, uv
        self.plain = bench.home / "plain"

    def plain_go(self) -> None:
        """12 plain `uv pip compile`, two at a time."""
        shutil.rmtree(self.plain, ignore_errors=True)
        self.plain.mkdir()
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda cell: self._compile(*cell), self.bench.cells))

    def _compile(self, series: str, python: str) -> None:
        wanted = self.plain / f"{python}-{series}.in"
        wanted.write_text(REQUIREMENTS.format(django=f"=={series}.*"))
        command = [self.uv, "pip", "compile", "-q", "--generate-hashes", str(wanted)]
        command += ["--python", self.bench.pythons[python]]
        self.bench.run([*command, "-o", str(wanted.with_suffix(".txt"))])

    def forget(self) -> None:
        """Let djhop keep no lock."""
        shutil.rmtree(self.bench.home / "djhop-cache" / "locks", ignore_errors=True)

    def djhop_go(self) -> dict[str, float]:
        """The same cells' locks by djhop, two at a time, in a process of its own."""
        matrix = self.bench.home / "matrix.toml"
        pythons = list(self.bench.pythons)
        matrix.write_text(
            f"steps = {json.dumps(self.bench.series)}\npythons = {json.dumps(pythons)}\n"
            f"python = {json.dumps(pythons[0])}\n"
        )
        done = subprocess.run(
            [sys.executable, __file__, str(self.bench.target), str(matrix)],
            env=self.bench.env, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            sys.exit(done.stderr[-3000:])
        found: dict[str, float] = json.loads(done.stdout)
        return found


def bench_locks(
    bench: Bench,
    uv: str,
    rounds: int,
    alternate: Callable[..., dict[str, list[float]]],
    show: Callable[..., None],
) -> None:
    """Print the cold times and their ratio, then the warm time of all cells' locks."""
    locks = Locks(bench, uv)

    def cold() -> None:
        locks.forget()
        found = locks.djhop_go()
        print(f"  {found['processes']:.0f} uv processes", file=sys.stderr)

    locks.plain_go()  # so that nobody pays for uv's first downloads
    cells = len(bench.cells)
    taken = alternate({"uv pip compile": locks.plain_go, "djhop": cold}, rounds)
    show(f"locks of {cells} cells, cold", taken, "uv pip compile")
    print(f"\nlocks of {cells} cells, warm, in one process")
    for _ in range(rounds):
        found = locks.djhop_go()
        print(f"{found['seconds'] * 1000:10.1f} ms   {found['processes']:.0f} uv processes")


def make_locks(target: str, matrix: str) -> None:
    """Make the locks as `djhop run` makes them; print seconds and uv processes as JSON."""
    from djhop import jobs, runner
    from djhop.commands import setting_up
    from djhop.processes.process import Command, Completed, Spawner

    class Counting(Spawner):
        started = 0

        def run(self, command: Command, *args: object, **options: object) -> Completed:
            self.started += 1
            return super().run(command, *args, **options)  # type: ignore[arg-type]

    given = dict.fromkeys(("start", "goal", "python", "jobs", "timeout", "cells"))
    spawner = Counting()
    named = {"command": "run", "target": target, "matrix": matrix}
    setup = setting_up.set_up({**given, **named}, spawner)
    session = runner.Session(
        target=setup.target, matrix=setup.matrix, plan=setup.plan, whole=setup.whole,
        found=setup.found, options=jobs.Options(jobs=2), spawner=spawner,
    )  # fmt: skip
    spawner.started, began = 0, time.perf_counter()
    session._locks.make(set(setup.plan.cells), lambda: False)
    found = [session._locks.lock(cell) for cell in setup.plan.cells]
    seconds = time.perf_counter() - began
    if without := [lock for lock in found if not getattr(lock, "pins", ())]:
        sys.exit(f"{len(without)} cells have no lock: {without[0]}")
    print(json.dumps({"seconds": seconds, "processes": spawner.started}))


if __name__ == "__main__":
    make_locks(*sys.argv[1:])
