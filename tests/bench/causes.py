"""What it costs to say why: causes, owners, removals, look-ahead and reruns, against the run itself.

djangorestframework 3.15.2 on Django 4.2 and 5.2: 1,500 tests, of which two break.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench import Bench

MATRIX = Path(__file__).parents[1] / "integration" / "matrices" / "djangorestframework.toml"
#: Prints the seconds that a run's cells take to be judged and told, as at its end.
JUDGE = """
import sys, time
from pathlib import Path
from djhop.compare import compare
from djhop.compare.causes import label
from djhop.reports import markdown, text
from djhop.store import record
from djhop.store.store import RunFolder
folder = RunFolder(Path(sys.argv[1]))
run, cells = folder.load(), folder.results()
began = time.perf_counter()
results = {name: label(cells[name]) for name in cells}
found = compare.compare(run.plan, results, reruns=folder.reruns())
told = record.finish(run, results, found, seconds=0, complete=True)
text.render(told), markdown.render(told)
print(time.perf_counter() - began)
"""


def bench_causes(bench: Bench, fetch: Callable[[str, str, Path], Path], rounds: int) -> None:
    """Run djhop on two cells, then judge them again; print seconds, and the share of the run."""
    bench.target = fetch("djangorestframework", "3.15.2", bench.home / "sdist")
    out = bench.home / "runs"
    for number in range(rounds):
        shutil.rmtree(out, ignore_errors=True)
        command = (sys.executable, "-m", "djhop", "run", str(bench.target), "--jobs", "1")
        bench.run([*command, "--matrix", str(MATRIX), "--out", str(out)], ok=(0, 1))
        folder = out / "latest"
        run = json.loads((folder / "run.json").read_text())
        judged = subprocess.run(
            [sys.executable, "-c", JUDGE, str(folder)], capture_output=True, text=True, check=True
        )
        again = sum(hop["reruns"]["seconds"] for hop in run["hops"] if hop["reruns"])
        whole = run["seconds"] - again
        print(
            f"{number + 1}/{rounds}  run {whole:.1f} s"
            f"   why {float(judged.stdout):.2f} s ({float(judged.stdout) / whole:.1%})"
            f"   reruns {again:.1f} s ({again / whole:.1%})"
        )
