"""What is known of the removal behind a cause, in a sentence."""

from __future__ import annotations

from djhop.knowledge.explain import Known
from djhop.reports.clean import one_line

_AXES = {"django": "Django", "python": "Python"}
_KINDS = {
    "module": "the module {}",
    "setting": "the setting {}",
    "tag": "the template tag {{% {} %}}",
    "filter": "the template filter {}",
    "library": "the tag library {}",
}
#: What comes before what to write instead.
USE = ": use "


def sentence(known: Known | None) -> str:
    """Say what went, when, and what to write instead; "" where nothing is known."""
    if known is None:
        return ""
    said = f"{_what(known)} {_when(known)}"
    said += f"{USE}{known.replacement}" if known.replacement else ""
    said += "; django-upgrade rewrites it" if known.fixer else ""
    return one_line(said, 300)


def use_first(said: str) -> str:
    """Turn such a sentence round, for where it may be cut: what to write instead comes first."""
    what, _, use = said.partition(USE)
    return f"use {use} ({what})" if use else said


def _what(known: Known) -> str:
    if known.kind == "argument":
        function = known.symbol
        return f"the argument {known.id.removeprefix(function).strip('()')} of {function}"
    return _KINDS.get(known.kind, "{}").format(known.symbol)


def _when(known: Known) -> str:
    library = known.package or _AXES[known.axis]
    clause = known.kind == "behaviour"
    if not known.removed:
        return f"{'' if clause else 'is deprecated '}since {library} {known.since}"
    since = f" (deprecated since {known.since})" if known.since else ""
    return f"{'' if clause else 'was removed '}in {library} {known.removed}{since}"
