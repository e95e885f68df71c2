"""The text of a matrix file for the cells that another tool is told; pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable

from djhop.releases import Releases, version_key

END = """\
# Further keys, all described in docs/matrix.md:
#allow-failure = ["django6.0"]        # a break in these cells does not change the exit code
#test = ["pytest", "tests"]           # where djhop does not find the suite
#requirements = ["requirements.txt"]  # or what it needs
#set-env = { DJANGO_SETTINGS_MODULE = "project.settings.test" }
#only = ["tests"]                     # without Django's own upgrade steps
"""


def runnable(
    cells: Iterable[tuple[str, str]], known: Releases
) -> tuple[list[tuple[str, str]], list[str]]:
    """Part (Python, Django) into what djhop can run, oldest first, and why not the others."""
    kept: list[tuple[str, str]] = []
    odd: list[str] = []
    for python, django in cells:
        row = known.get(django)
        if python in row.runnable_pythons:
            kept.append((python, django))
        else:
            why = f"Django {django} does not support that Python, or djhop cannot run it"
            odd.append(f"py{python}-django{django}: {why}")
    kept.sort(key=lambda cell: (version_key(cell[1]), version_key(cell[0])))
    return kept, odd


def text(
    cells: Collection[tuple[str, str]],
    *,
    source: str,
    target: str,
    unread: Collection[str],
    on_path: Collection[tuple[str, str]],
    known: Releases,
) -> str:
    """Write a matrix file with these (Python, Django) cells.

    Args:
        source: where they were read; "" where nothing was.
        target: of the file, if it does not lie in the target's folder.
        unread: sentences about what was not read.
        on_path: cells that must not be left out, or the path has a gap.
    """
    lines = ["# Written by `djhop init`" + (f" from {source}." if source else ".")]
    lines += ["# `djhop plan` shows what djhop makes of it."]
    lines += ["#", "# Not read:", *(f"#   {note}" for note in unread)] if unread else []
    lines += ["", f"target = {json.dumps(target)}"] if target else []
    series = sorted({django for _, django in cells}, key=version_key)
    pythons = sorted({python for python, _ in cells}, key=version_key)
    if len(series) > 1:
        lines += ["", "# The path: each step is a hop.", f"steps = {_listed(series)}"]
    else:
        lines += ["", *(f'from = "{one}"' for one in series)]
        lines += ["# From LTS to LTS; every-release, next, or a list of series.", 'steps = "lts"']
    if pythons:
        lines += ["", "# Beside the path: each series on each of these, where Django supports it."]
        lines += [f"pythons = {_listed(pythons)}"]
    # The path may go through series that nobody named.
    through = sorted({*series, *(django for _, django in on_path)}, key=version_key)
    every = [(p, d) for d in through for p in pythons if p in known.get(d).runnable_pythons]
    out = [f"py{p}-django{d}" for p, d in every if (p, d) not in {*cells, *on_path}]
    lines += ["", f"# Not in {source}.", f"exclude = {_listed(out)}"] if out else []
    return "\n".join([*lines, "", END])


def _listed(items: list[str]) -> str:
    short = json.dumps(items)
    return short if len(short) < 88 else "[\n" + "".join(f'  "{one}",\n' for one in items) + "]"
