"""Text from targets is hostile: what could steer a terminal or mislead a reader is spelled out."""

from __future__ import annotations

import re

#: Control characters (ESC and the 8-bit CSI among them), marks that reorder or hide text, line
#: separators, lone surrogates. https://trojansource.codes/
UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f\ufffe\uffff]"
)
#: GitHub obeys "##[add-mask]…" anywhere in a line, "::add-mask::…" where one begins; Azure obeys
#: "##vso[…]", TeamCity "##teamcity[…]".
COMMAND = re.compile(r"#(?=#\w*\[)")
BEGINS = re.compile(r"^([^\S\n]*):(?=:)", re.MULTILINE)
#: As many characters of one text as a report shows.
LONGEST = 300


def one_line(text: str, limit: int = LONGEST) -> str:
    """Return the first line of `text` that says something, safe to print, cut to `limit`."""
    if not text.isprintable():
        lines = (line.strip() for line in text[:20_000].splitlines())
        text = next((line for line in lines if line), "")
    return cut(spelled(text.strip()[: limit + 1]), limit)


def spelled(text: str) -> str:
    r"""Spell out what must not reach a terminal or a page: "\x1b", "\u202e"."""
    # What is unsafe is not printable either, and to ask for that is fast.
    if not text.isprintable():
        text = UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
    return COMMAND.sub(r"\\x23", text) if "##" in text else text


def block(text: str, limit: int) -> str:
    """Return the lines of `text`, safe to print, cut to `limit` characters in all."""
    shown, more = text[:limit], len(text) - limit
    if not shown.replace("\n", "").isprintable() or "##" in shown:
        shown = "\n".join(shown.splitlines())
    shown = page(shown)
    return f"{shown}\n… and {more:,} more characters" if more > 0 else shown


def page(text: str) -> str:
    """Return lines that are safe to print: nothing in them steers a terminal or the log of a CI."""
    lines = ("\t".join(map(spelled, line.split("\t"))) for line in text.split("\n"))
    return inert("\n".join(lines))


def inert(text: str) -> str:
    """Spell out what a CI's log would obey: a line that begins with "::", as commands do."""
    return BEGINS.sub(r"\1\\x3a", text) if "::" in text else text


def cut(text: str, limit: int) -> str:
    """Cut to `limit` characters; what is cut is seen to be."""
    return text if len(text) <= limit else text[: max(limit - 1, 0)].rstrip() + "…"
