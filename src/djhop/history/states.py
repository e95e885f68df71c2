"""How a test ended, in two characters, and what becomes of it from one night to the next; pure.

The first is the plain outcome, the second the strict one: "pp", "pf". "~" behind them: it passed
and failed in one night. "" is a test that is not there.
"""

from __future__ import annotations

from typing import Literal

Kind = Literal["passed", "excused", "failed", "skipped", "absent"]
Change = Literal[
    "",
    "broke",
    "broke_differently",
    "new_failures",
    "vanished",
    "newly_skipped",
    "newly_deprecated",
    "fixed",
]

#: Outcome → character. "." is none.
LETTERS = {
    "passed": "p",
    "failed": "f",
    "error": "e",
    "skipped": "s",
    "xfailed": "x",
    "xpassed": "X",
    "crashed": "c",
    "not-run": ".",
    None: ".",
}
ABSENT = ""
#: In a strip: the cell has no result of that night; its suite ended before the test was seen.
NO_NIGHT, UNKNOWN = " ", "?"
_KINDS: dict[str, Kind] = {
    "p": "passed",
    "x": "excused",
    "X": "excused",
    "f": "failed",
    "e": "failed",
    "c": "failed",
    "s": "skipped",
}


def state(plain: str | None, strict: str | None, *, flaky: bool) -> str:
    """Return the state of a test that ended so; "" where it did not run at all."""
    letters = LETTERS[plain] + LETTERS[strict]
    return "" if letters == ".." else letters + "~" * flaky


def kind(told: str) -> Kind:
    """Sort a state into what a comparison needs."""
    return _KINDS.get(told[:1], "absent")


def warned(told: str) -> bool:
    """Whether it is fine plainly, and not strictly."""
    return kind(told) == "passed" and _KINDS.get(told[1:2]) in ("failed", "skipped")


def wavers(told: str) -> bool:
    """Whether it ended in two ways in one night."""
    return told.endswith("~")


def change(before: str, after: str, *, same_cause: bool) -> Change:  # noqa: PLR0911 - a table
    """Say what became of a test between two nights; "" where nothing that matters did."""
    was, now = kind(before), kind(after)
    if now == "failed":
        if was == "failed":
            return "" if same_cause else "broke_differently"
        return "broke" if was == "passed" else "new_failures"
    if was == "failed":
        return "fixed" if now == "passed" else ""
    if was != "passed":
        return ""
    match now:
        case "absent":
            return "vanished"
        case "skipped" | "excused":
            return "newly_skipped"
        case "passed":
            strictly = _KINDS.get(before[1:2]) == "passed"
            return "newly_deprecated" if strictly and warned(after) else ""
