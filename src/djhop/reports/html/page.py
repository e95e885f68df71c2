"""A run as one HTML file that asks nobody for anything: frame, style, code and data."""

from __future__ import annotations

import base64
import functools
import gzip
import hashlib
import importlib.resources
from collections.abc import Callable, Mapping

import jinja2

from djhop import releases
from djhop.durable import encode
from djhop.reports import burn, durations, picture, templating
from djhop.reports.html.extras import extras
from djhop.reports.html.lost import Ran
from djhop.reports.html.model import Model
from djhop.reports.summary import summarise
from djhop.results import measure
from djhop.results.results import CellResult
from djhop.store.record import Run
from djhop.store.store import RunFolder

#: As many causes, uses and ids as a list of the page shows; the panels have more.
LIMIT = 40
#: More hops than this stand below the picture, in columns.
MOST_STEPS = 6
STYLES = ("page.css", "parts.css", "nights.css")
SCRIPTS = ("data.js", "dom.js", "list.js", "tests.js", "compare.js", "trace.js", "nights.js",
           "panels.js", "times.js", "main.js")  # fmt: skip


def render(run: Run, folder: RunFolder) -> str:
    """Return the report of `run` as one HTML page; its cells are read from `folder`."""
    coverages = functools.lru_cache(maxsize=2)(
        lambda cell: measure.executed(folder.cell(cell).path / "coverage")
    )
    return compose(run, folder.results(), coverages)


def compose(
    run: Run, results: Mapping[str, CellResult], coverage: Callable[[str], Ran] = lambda _: {}
) -> str:
    """Return the page of `run`.

    Args:
        results: what each cell saw; asked for one at a time.
        coverage: cell → the lines of each file that ran there.
    """
    summary = summarise(run, releases.load(), limit=LIMIT)
    model = Model(run, summary)
    data = model.build(results, coverage)
    style = "\n".join(map(part, STYLES))
    code = "(() => {\n'use strict';\n" + "\n".join(map(part, SCRIPTS)) + "})();\n"
    return (
        templates()
        .get_template("page.html")
        .render(
            summary=summary,
            run=run,
            data=data,
            limit=LIMIT,
            picture=picture.matrix(summary),
            durations=durations.inline(run),
            burn=burn.picture(run.since, run.plan) if run.since else "",
            many=picture.many(summary) or len(summary.path) > MOST_STEPS,
            cells=[
                {**cell, "seconds_in_all": sum(cell["seconds"].values())} for cell in data["cells"]
            ],
            style=style,
            style_hash=digest(style),
            code=code,
            code_hash=digest(code),
            packed=base64.b64encode(gzip.compress(encode(data), 6, mtime=0)).decode(),
        )
    )


@functools.cache
def templates() -> jinja2.Environment:
    """The templates of pages."""
    made = templating.environment()
    made.globals.update(extras=extras)
    made.filters["whole"] = lambda text: text.replace(" → ", "\xa0→\xa0")
    return made


def part(name: str) -> str:
    """Return a style or a script of a page, as it is written."""
    return importlib.resources.files("djhop").joinpath(f"data/report/{name}").read_text("utf-8")


def digest(text: str) -> str:
    """What the page's Content-Security-Policy allows: this text and no other."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
