"""Warnings of all passes → deprecated uses, one each: what, where, whose, and until when."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from djhop.results import owners
from djhop.results.eventlog import Warned
from djhop.results.paths import PROJECT, Owner

if TYPE_CHECKING:
    from djhop.releases import Releases
    from djhop.results.events import PassEvents
    from djhop.results.paths import Paths

_VARIABLE = re.compile(
    r"0x[0-9a-fA-F]{4,}"
    r"|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|(?<=[ #=])\d{4,}(?=$|[\s,.)])"
)
#: The only module whose warning classes say which Django series removes something.
_DJANGO = "django.utils.deprecation"
#: How Python says it: "slated for removal in Python 3.12", "in 3.10 it will stop working".
_PYTHON = re.compile(r"\bremov(?:al|ed)\b[^.]*? in Python (3\.\d+)|\bin (3\.\d+) it will stop work")


class Deprecation(msgspec.Struct, frozen=True, kw_only=True):
    """One deprecated use: what was warned about, where, by whom and in which tests."""

    category: str
    message: str
    #: "app/models.py:12", relative to the target, or to site-packages.
    place: str
    owner: Owner
    #: Django series that removes it; None where nobody says (Python, packages).
    removed_in: str | None = None
    #: Python that removes it, where Python's own warning says so: "3.12".
    removed_in_python: str | None = None
    #: False for PendingDeprecationWarning: strict runs do not fail on it.
    fatal: bool = True
    #: Ids of tests it was seen in, at most a thousand per pass.
    tests: tuple[str, ...] = ()
    #: Times it was seen in the pass that saw it most often.
    count: int = 0
    #: Where it was seen outside tests: "import", "collect", "config", "compile"; else "".
    when: str = ""
    #: Why it is this owner's, in a few words.
    why: str = ""
    #: The place is in a file of the target's tree.
    in_target: bool = False


class _Use(msgspec.Struct):
    """A deprecated use while it is added up."""

    event: Warned
    why: str
    #: Count in each pass.
    counts: list[int]
    tests: dict[str, None]
    in_target: bool


def collect(
    passes: Sequence[PassEvents], paths: Paths, releases: Releases
) -> tuple[Deprecation, ...]:
    """Return the deprecated uses, in the order in which they were first seen.

    Passes repeat one another: a use counts as often as in the pass that saw it most often.
    """
    uses: dict[tuple[str, str, str, Owner], _Use] = {}
    for index, events in enumerate(passes):
        for seen in events.warnings:
            event = seen.event
            if not (event.is_deprecation or event.is_pending):
                continue
            verdict = owners.of_warning(event, paths)
            file, line = verdict.frame or (event.file, event.line)
            place = f"{paths.shorten(file)}:{line}"
            key = (event.category, template(event.message, paths.root), place, verdict.owner)
            use = uses.get(key)
            if use is None:
                here = paths.owner_of_file(file) == PROJECT
                use = uses[key] = _Use(event, verdict.why, [0] * len(passes), {}, here)
            use.counts[index] += seen.count
            use.tests.update(seen.tests)
    return tuple(_deprecation(key, use, releases) for key, use in uses.items())


def _deprecation(key: tuple[str, str, str, Owner], use: _Use, releases: Releases) -> Deprecation:
    category, message, place, owner = key
    django = use.event.category_module == _DJANGO
    return Deprecation(
        category=category,
        message=message,
        place=place,
        owner=owner,
        removed_in=releases.removed_in(category) if django else None,
        removed_in_python=None if django else _python(message),
        fatal=use.event.is_deprecation,
        tests=tuple(use.tests),
        count=max(use.counts),
        when="" if use.tests else use.event.when,
        why=use.why,
        in_target=use.in_target,
    )


def _python(message: str) -> str | None:
    found = _PYTHON.search(message)
    return (found[1] or found[2]) if found else None


def template(message: str, root: str) -> str:
    """Return the message without what differs from run to run: addresses, ids, the tree's path."""
    return _VARIABLE.sub("…", message.replace(root.rstrip("/") + "/", ""))
