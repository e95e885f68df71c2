"""How the templates of pages and pictures are read."""

from __future__ import annotations

import functools

import jinja2


def environment() -> jinja2.Environment:
    """An environment of one's own, to add to."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader("djhop", "data/report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@functools.cache
def templates() -> jinja2.Environment:
    """The templates of pictures; everybody has the same."""
    return environment()
