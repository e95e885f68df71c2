"""What uv says when it fails → Failure: its kind, and the premises of its proof; pure.

Reads both layouts of uv's text: `error: … cause: …` and the older one with a tree of glyphs.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec
from packaging.utils import canonicalize_name

from djhop.masking import mask

#: conflict: no versions fit together. python: the interpreter is too old or too new. build: a
#: source distribution could not be built. missing: not on the index, or the URL is gone.
#: requirement: cannot be parsed. network, credentials, offline, other: infrastructure.
Kind = Literal[
    "conflict",
    "python",
    "build",
    "missing",
    "requirement",
    "network",
    "credentials",
    "offline",
    "other",
]

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_CLAUSE = r"(?:===?|>=|<=|!=|~=|<|>)[^\s,]+"
_SPEC = rf"{_CLAUSE}(?:,{_CLAUSE})*"
_TERM = re.compile(rf"({_NAME})(?:\[[^\]]*\])?({_SPEC})?")
#: From here to the next premise is what uv concludes.
_CONCLUSION = re.compile(r"we can conclude that .*?(?= And because | Because |$)")
_MARKER = re.compile(r"\{[^}]*\}")
_GLYPHS = re.compile(r"^ *[×╰├│][─▶│ ]*|^ +cause: ", re.MULTILINE)
#: No name or version is that long; what looks for them would take for ever.
_LONG_WORD = re.compile(r"(\S{500})\S+")
_ABOUT = re.compile(r"Failed to (?:build|download|download and build) `([^`]+)`")
_MISSING = re.compile(rf"({_NAME}) was not found in the (?:package registry|cache)")
_FETCHED = re.compile(r"https?://[^\s`'\")]+")
#: git's own words where a repository answers and has no such branch, tag or commit.
_NO_REVISION = ("couldn't find remote ref", "not our ref")
#: Of a file that came cut or garbled.
_BROKEN = "has an invalid package format"
_ABSENT = re.compile(rf"there is no version of ({_NAME})(?:\[[^\]]*\])?===?([^\s,]+)")
#: The first of these whose marks stand in uv's own words decides.
_SIGNS: tuple[tuple[Kind, tuple[str, ...]], ...] = (
    # A server may put the number in words of its own.
    ("missing", ("404 Not Found", "410 Gone", "(404 ", "(410 ")),
    ("credentials", ("401 Unauthorized", "403 Forbidden", "(401 ", "(403 ")),
    ("offline", ("network was disabled", "network connectivity is disabled")),
    (
        "network",
        (
            "Failed to fetch",
            "Request failed",
            "error sending request",
            "HTTP status server error",
            "429 Too Many Requests",
            "timed out",
            "dns error",
            "Git operation failed",
            "connection closed",
            "Missing `Content-Type` header",
        ),
    ),
    ("build", ("Failed to build", "Failed to download and build")),
    ("requirement", ("Couldn't parse requirement", "Unsupported requirement")),
)


class Edge(msgspec.Struct, frozen=True):
    """One premise of uv's proof: `package``versions` depends on `needs``constraint`."""

    package: str
    versions: str
    needs: str
    constraint: str


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why one uv process did not give a lock."""

    kind: Kind
    #: uv's own words, credentials masked, glyphs and wrapping removed.
    text: str
    #: The package that is missing or cannot be built, and its version; else empty.
    package: str = ""
    version: str = ""
    #: Where the package is to be had, if that is no index: "git+https://host/repo@v1".
    url: str = ""
    edges: tuple[Edge, ...] = ()
    #: Packages that the proof names with a version, canonical names.
    named: frozenset[str] = frozenset()
    #: What uv calls the project's own requirements: "django-oscar>=3.2.4,<3.3".
    required: tuple[str, ...] = ()


def read(output: str, secrets: tuple[str, ...] = ()) -> Failure:
    """Say what a failed `uv pip compile` means."""
    text = _LONG_WORD.sub(r"\1", _GLYPHS.sub("", mask(output, secrets)).strip())
    said = re.split(r"^\s*(?:\[std(?:out|err)\]|--- stderr)", text, maxsplit=1, flags=re.MULTILINE)
    head = re.sub(r"\s+", " ", said[0])
    if "No solution found" in head:
        return _conflict(text, head)
    kind: Kind = next((k for k, marks in _SIGNS if any(m in head for m in marks)), "other")
    if "Git operation failed" in head and any(mark in text for mark in _NO_REVISION):
        kind = "missing"
    about = _ABOUT.search(head)
    what, _, url = about[1].partition(" @ ") if about else ("", "", "")
    name, _, version = what.partition("==")
    if kind == "missing" and about is None:
        kind = "network"  # an index that lists a file has to have it
    if kind == "missing" and not url:
        url = (_FETCHED.search(head) or [""])[0]
    return Failure(kind=kind, text=text, package=canonicalize_name(name), version=version, url=url)


def _conflict(text: str, head: str) -> Failure:
    proof = head.partition("No solution found when resolving dependencies")[2].lstrip(": ")
    proof, _, hints = proof.partition(" hint: ")
    missing = _MISSING.search(proof)
    kind: Kind = "missing" if missing else "conflict"
    if "network was disabled" in hints:
        kind = "offline"
    elif missing and re.search(r"40[13] ", hints):
        kind = "credentials"
    elif _BROKEN in proof:
        kind = "network"
    elif not missing and "current Python version" in proof:
        kind = "python"
    words = _CONCLUSION.sub(" ", _MARKER.sub("", proof)).split()
    edges = _edges(words)
    if kind == "python" and any(edge.needs == "django" for edge in edges):
        kind = "conflict"
    return Failure(
        kind=kind,
        text=text,
        package=canonicalize_name(missing[1]) if missing else "",
        edges=edges,
        named=frozenset(name for name, versions in map(term, words) if versions),
        required=_required(words),
    )


def term(word: str) -> tuple[str, str]:
    """Read "django-oscar>=3.2,<4" as name and versions; ("", "") for any other word."""
    match = _TERM.fullmatch(word.rstrip(",.)"))
    return (canonicalize_name(match[1]), match[2] or "") if match else ("", "")


def _edges(words: list[str]) -> tuple[Edge, ...]:
    """Read every "a==1 b==2 depend on c>3" of the premises."""
    found: list[Edge] = []
    for at, word in enumerate(words[:-2]):
        if word not in {"depend", "depends"} or words[at + 1] != "on":
            continue
        needs, constraint = term(words[at + 2])
        for subject in reversed(words[:at]):
            name, versions = term(subject)
            if versions or subject is words[at - 1]:
                found.append(Edge(name, versions, needs, constraint))
            if not versions:
                break
    return tuple(dict.fromkeys(edge for edge in found if edge.package and edge.needs))


def _required(words: list[str]) -> tuple[str, ...]:
    """Read every "you require a==1 and b>2"."""
    found: list[str] = []
    for at in range(len(words) - 2):
        if words[at : at + 2] != ["you", "require"]:
            continue
        found.append(words[at + 2].rstrip(",."))
        if words[at + 3 : at + 4] == ["and"]:
            found.extend(word.rstrip(",.") for word in words[at + 4 : at + 5])
    return tuple(dict.fromkeys(found))


def absent(failure: Failure) -> dict[str, str]:
    """Package → the version of it that is asked for and that the index does not have."""
    words = " ".join(failure.text.split())
    return {canonicalize_name(name): version for name, version in _ABSENT.findall(words)}


def explain(failure: Failure, lines: int = 12) -> str:
    """The last meaningful lines of uv's text: what a build printed before it failed."""
    kept = [line.rstrip() for line in failure.text.splitlines() if line.strip()]
    kept = [line for line in kept if not line.lstrip().startswith("hint: Build failures usually")]
    return "\n".join(kept[:2] + kept[2:][-lines:])
