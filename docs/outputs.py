"""Put excerpts of a run of the demo into these pages: python docs/outputs.py reports/latest"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from djhop.reports import covered, outputs, screen
from djhop.store.store import RunFolder

PAGES = [Path(__file__).with_name(name) for name in ("outputs.md", "terminal.md")]
BLOCK = re.compile(r"(<!-- excerpt (\S+) -->\n```\n).*?(```\n)", re.DOTALL)
#: How many lines, and columns of each, a reader wants to see.
LINES, COLUMNS = 14, 100
#: Form → a word in the first line to show; where there is none, the first line of all.
FIRST = {
    "sarif": '"results"',
    "ctrf": '"rawStatus":"failed"',
    "junit": 'classname="py3.12-django5.0.tests.test_exports"',
    "jsonl": '"state":"failed"',
    "lcov": "SF:trails/exports.py",
}


def excerpt(folder: RunFolder, form: str) -> str:
    """The part of an output that shows what it is like."""
    run = folder.load()
    if form == "screen":
        return screen.render(run, whole=f"djhop report {run.name} -v")
    if form in outputs.COVERAGE:
        root = run.target.root
        whole, _ = covered.render(folder.path / "coverage", root=root, source=Path(root), form=form)
    else:
        whole = "".join(outputs.pieces(form, run, folder.results()))
    lines = whole.replace(run.target.root, "/home/me/shop").splitlines()
    first = next(n for n, line in enumerate(lines) if FIRST.get(form, "") in line)
    text = lines[first][lines[first].find('"results"') :] if form == "sarif" else lines[first]
    folded = [part for line in (text, *lines[first + 1 :][:LINES]) for part in fold(line)]
    return "\n".join([*folded[:LINES], "…"]) + "\n"


def fold(line: str) -> list[str]:
    """Break a long line anywhere, as a terminal does."""
    return [line[at : at + COLUMNS] for at in range(0, len(line), COLUMNS)]


def main() -> None:
    """Rewrite the pages."""
    folder = RunFolder(Path(sys.argv[1]).resolve())
    for path in PAGES:
        page = path.read_text("utf-8")
        path.write_text(
            BLOCK.sub(lambda found: found[1] + excerpt(folder, found[2]) + found[3], page), "utf-8"
        )


if __name__ == "__main__":
    main()
