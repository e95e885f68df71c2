"""Make docs/pictures from a run of the demo, the real thing of each output: nox -s docs

What is text becomes an SVG; what is a page, or Markdown as GitHub shows it, a PNG of chromium's.
"""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path
from typing import Any

import msgspec
from markdown_it import MarkdownIt
from playwright.sync_api import sync_playwright
from rich.console import Console, Group
from rich.syntax import Syntax
from rich.text import Text

from djhop.reports import covered, outputs, screen
from djhop.reports.html import page
from djhop.store.record import Run
from djhop.store.store import RunFolder

PICTURES = Path(__file__).with_name("pictures")
ARGS = ["--headless", "--no-sandbox", "--disable-quic", "--disable-background-networking"]
#: What stands for the run and for where the project is, so that pictures change only with djhop.
NAME, STARTED, ROOT = "20261121-014452-demo", "2026-11-21T01:44:52Z", "/home/me/shop"
#: Lines of an excerpt, and columns of each.
LINES, COLUMNS = 16, 100
#: Form → how it is coloured, and a word in the first line to show; without one, the first of all.
EXCERPTS = {
    "json": ("json", '"hops"'),
    "jsonl": ("json", '"state":"failed"'),
    "junit": ("xml", 'classname="py3.12-django5.0.tests.test_exports"'),
    "ctrf": ("json", '"rawStatus":"failed"'),
    "sarif": ("json", '"results"'),
    "github-annotations": ("text", ""),
    "gitlab-junit": ("xml", 'classname="py3.12-django5.0.tests.test_exports"'),
    "gitlab-quality": ("json", ""),
    "cobertura": ("xml", 'filename="trails/exports.py"'),
    "lcov": ("text", "SF:trails/exports.py"),
}
#: What a reader sees as GitHub shows it (its summary and comment are the same), and pictures.
MARKDOWN = "markdown"
DRAWN = ("svg", "badge", "durations")
#: Views of the page: name → (colours, address).
VIEWS = {
    "html": ("light", "overview"),
    "html-dark": ("dark", "cell/py3.12-django5.1"),
    "html-test": ("light", "test/tests/test_exports.py::test_the_calendar_is_served"),
    "html-tests": ("light", "tests?group=cause"),
}
#: A terminal without a frame, whose letters are those of the reader's machine.
SVG = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>.{unique_id}-matrix {{ font-family: "DejaVu Sans Mono", Menlo, Consolas, monospace;
font-size: {char_height}px; line-height: {line_height}px; }} {styles}</style>
<defs><clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/></clipPath>{lines}</defs>
{chrome}<g transform="translate({terminal_x}, {terminal_y})"
clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}<g class="{unique_id}-matrix">{matrix}</g></g></svg>
"""
GITHUB = """<meta charset="utf-8"><style>body { font: 14px/1.5 system-ui, sans-serif; margin: 24px;
max-width: 860px; color: #1f2328; } code { background: #eff1f3; padding: .1em .3em;
font-size: 85%%; } table { border-collapse: collapse; } td, th { border: 1px solid #d1d9e0;
padding: 4px 12px; } h1, h2 { border-bottom: 1px solid #d1d9e0; padding-bottom: .3em; }</style>%s"""


def main() -> None:
    """Make every picture of the run in the folder that was named."""
    folder = RunFolder(Path(sys.argv[1]).resolve())
    run = msgspec.structs.replace(folder.load(), name=NAME, started=STARTED)
    shutil.rmtree(PICTURES, ignore_errors=True)
    PICTURES.mkdir()
    for form, (lexer, first) in EXCERPTS.items():
        code = excerpt(whole(form, run, folder), first)
        coloured = Syntax(code, lexer, theme="ansi_dark", background_color="default")
        keep(form, Group(coloured, Text("…", style="dim")))
    keep("text", Text.from_ansi(screen.render(run, color=True, width=COLUMNS - 10, height=40)))
    for form in DRAWN:
        (PICTURES / f"{form}.svg").write_text(whole(form, run, folder), "utf-8")
    photograph(run, folder)


def whole(form: str, run: Run, folder: RunFolder) -> str:
    """An output as djhop writes it."""
    if form in outputs.COVERAGE:
        root = run.target.root
        kind = msgspec.convert(form, covered.Form)
        text, _ = covered.render(folder.path / "coverage", root=root, source=Path(root), form=kind)
    else:
        text = "".join(outputs.pieces(form, run, folder.results(), folder.reruns()))
    return text.replace(run.target.root, ROOT)


def excerpt(text: str, word: str) -> str:
    """The part of an output that shows what it is like, folded as a terminal does."""
    lines = text.splitlines()
    first = next(n for n, line in enumerate(lines) if word in line)
    lines = [lines[first][max(lines[first].find(word), 0) if word == '"results"' else 0 :],
             *lines[first + 1 :][:LINES]]  # fmt: skip
    folded = [line[at : at + COLUMNS] for line in lines for at in range(0, len(line) or 1, COLUMNS)]
    return "\n".join(folded[:LINES])


def keep(name: str, shown: Any) -> None:
    """Write what a terminal would show as an SVG."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(shown)
    made = console.export_svg(title="", code_format=SVG, unique_id=name)
    (PICTURES / f"{name}.svg").write_text(made, "utf-8")


def photograph(run: Run, folder: RunFolder) -> None:
    """Take the pictures that only a browser can."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("no chromium on PATH: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGS)
        made = PICTURES / "page.html"
        made.write_text(page.render(run, folder).replace(run.target.root, ROOT), "utf-8")
        for name, (colours, where) in VIEWS.items():
            take(browser, made, name, colours=colours, where=f"#{where}", ready="html[data-ready]")
        html = MarkdownIt("commonmark").enable("table").render(whole(MARKDOWN, run, folder))
        made.write_text(GITHUB % html, "utf-8")
        take(browser, made, MARKDOWN, wide=910, ready="body")
        made.unlink()
        browser.close()


def take(
    browser: Any, made: Path, name: str, *, ready: str, colours: str = "light", where: str = "",
    wide: int = 1080,
) -> None:  # fmt: skip
    """Open a page and keep what is seen of it at first."""
    context = browser.new_context(
        viewport={"width": wide, "height": 660}, color_scheme=colours, reduced_motion="reduce"
    )
    tab = context.new_page()
    tab.goto(f"{made.as_uri()}{where}")
    tab.wait_for_selector(ready)
    tab.wait_for_timeout(300)
    tab.screenshot(path=PICTURES / f"{name}.png")
    context.close()


if __name__ == "__main__":
    main()
