"""Measure the HTML report of a run of 20 cells × 20,000 tests with 5,000 failures; print figures.

A machine that does other work slows a browser many times over: each figure is the least of
several, and the same page is asked each time.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

import big_run

ARGS = [
    *("--headless", "--no-sandbox", "--disable-quic", "--disable-background-networking"),
]
REPEATS = 7
TYPED = ("order", "00123", "module_3 typeerror", "nothing like it", "")
FILTERS = (
    "tests?outcome=bad",
    "tests?outcome=p&cell=py3.10-django5.2",
    "tests?outcome=bad&owner=django-filter",
    "tests?change=breaks&hop=breaks&group=cause",
    "tests?group=module",
    "tests?order=slow",
    "compare/py3.8-django2.2..py3.12-django5.2",
)
TYPE = """text => {
  const field = document.querySelector('#filters input'), began = performance.now();
  field.value = text; field.dispatchEvent(new Event('input')); document.body.offsetHeight;
  return performance.now() - began; }"""
GO = """where => {
  const began = performance.now();
  history.replaceState(null, '', '#' + where); dispatchEvent(new Event('hashchange'));
  document.body.offsetHeight;
  return performance.now() - began; }"""
#: Prints the seconds and the most memory that it took to make the page.
MAKE = """
import resource, sys, time
from pathlib import Path
from djhop.reports.html import page
from djhop.store.store import RunFolder
folder = RunFolder(Path(sys.argv[1]))
began = time.perf_counter()
Path(sys.argv[2]).write_text(page.render(folder.load(), folder), encoding="utf-8")
usage = resource.getrusage(resource.RUSAGE_SELF)
print(time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
"""


def main() -> None:
    """Make the run and its page, open it, and print what each took."""
    with tempfile.TemporaryDirectory(prefix="djhop-bench-") as home:
        run, made = Path(home, "run"), Path(home, "report.html")
        big_run.make(run)
        argv = [sys.executable, "-c", MAKE, str(run), str(made)]
        out = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()
        wall, cpu, memory = map(float, out)
        print(f"made in {wall:.1f} s ({cpu:.1f} s of CPU), {memory:.0f} MB; promised 10 s, 300 MB")
        print(f"file: {made.stat().st_size / 1e6:.1f} MB; promised 15 MB")
        browse(made)


def browse(made: Path) -> None:
    """Open the page and filter it."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        print("no chromium on PATH: nothing more is measured")
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGS)
        paints, ready = zip(*(opened(browser.new_page(), made) for _ in range(3)), strict=True)
        print(
            f"first paint {min(paints):.0f} ms, everything there {min(ready):.0f} ms; promised 1 s"
        )
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        opened(page, made, "#tests")
        for text in TYPED:
            report(f"typed {text!r}", page, TYPE, text)
        for where in FILTERS:
            report(where, page, GO, where)
        browser.close()


def opened(page: Page, made: Path, where: str = "") -> tuple[float, float]:
    """Open the page; return when it was first painted and when it was ready, in milliseconds."""
    began = time.perf_counter()
    page.goto(f"{made.as_uri()}{where}")
    page.wait_for_selector("html[data-ready]", timeout=60_000)
    ready = (time.perf_counter() - began) * 1000
    page.wait_for_timeout(300)
    paint: Any = page.evaluate(
        "performance.getEntriesByName('first-contentful-paint')[0].startTime"
    )
    return float(paint), ready


def report(name: str, page: Page, code: str, argument: str) -> None:
    """Do one thing several times; print the first and the least."""
    took = [float(page.evaluate(code, argument)) for _ in range(REPEATS)]
    print(f"{min(took):6.0f} ms ({took[0]:.0f} at first)  {name}; promised 100 ms")


if __name__ == "__main__":
    main()
