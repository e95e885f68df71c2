"""Request and lock before → what one uv process is asked; pure.

An *attempt* is the four files and the argv of one `uv pip compile`. Which attempt comes after which
is decided in resolve.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from packaging.utils import canonicalize_name

from djhop.resolve.request import (
    DJANGO_OWN,
    GIVES_WAY,
    Request,
    applies,
    capped,
    django,
    exempt,
    extras_text,
    name_of,
    pinned,
    read,
)
from djhop.resolve.staying import below, floors, held, stated

if TYPE_CHECKING:
    from packaging.requirements import Requirement
    from packaging.specifiers import Specifier

    from djhop.resolve.locks import Lock

#: Later than any upload.
NEVER = "2100-01-01"
_LOWER = frozenset({">=", ">", "~=", "==", "==="})


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """How far the request has been loosened."""

    #: Packages whose pins and caps are dropped.
    released: frozenset[str] = frozenset()
    #: Every pin and cap is dropped.
    everything: bool = False
    #: Packages left out, to see what the rest would be without them.
    without: frozenset[str] = frozenset()
    #: Packages that may go below the version of the lock before; no other does.
    sunk: frozenset[str] = frozenset()
    #: Packages of which only wheels are taken: an ancient release of theirs could not be built.
    wheels: frozenset[str] = frozenset()
    #: "name!=version" of releases that cannot be built.
    unbuilt: frozenset[str] = frozenset()
    #: What metadata says of Django is ignored.
    forced: bool = False


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """What one `uv pip compile` reads: file name → lines."""

    #: "project.in", "suite.in", "matrix.in", "django.in", "moved.in": each line a requirement.
    requirements: dict[str, tuple[str, ...]]
    constraints: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    #: What is preferred, not required.
    seeds: tuple[str, ...] = ()
    #: Packages of which only wheels are taken.
    wheels: tuple[str, ...] = ()
    #: Of what the files name, the lowest release that fits is taken, not the newest.
    lowest: bool = False


def build(request: Request, previous: Lock | None, stage: Stage) -> Attempt:
    """Say what uv is asked at this stage."""
    preferred, own = held(request, previous), stated(request)
    pins = {n: v for n, v in {**own, **preferred}.items() if n not in stage.sunk}
    pins.update((n, v) for n, v in own.items() if n in stage.sunk)
    seeds = {} if request.policy == "latest" else preferred
    taken = {name_of(text) for text in request.packages} | {"django"}
    named = {name_of(text) for text in request.requirements if applies(read(text), request)}
    suite = [text for text in request.suite_packages if name_of(text) not in named | taken]

    def loosened(texts: tuple[str, ...]) -> tuple[str, ...]:
        kept = (text for text in texts if not name_of(text) or name_of(text) not in taken)
        return tuple(dict.fromkeys(_loosen(text, request, pins, stage) for text in kept))

    return Attempt(
        requirements={
            "project.in": loosened(request.requirements),
            "suite.in": tuple(suite),
            "matrix.in": tuple(p for p in request.packages if name_of(p) != "django"),
            "django.in": (django(request),),
        },
        constraints=(
            *loosened(request.constraints),
            *_bounds(request, previous, stage),
            *sorted(stage.unbuilt),
        ),
        overrides=_overrides(request, stage),
        seeds=tuple(f"{name}=={version}" for name, version in seeds.items()),
        wheels=tuple(sorted(stage.wheels)),
    )


def argv(
    uv: str, request: Request, attempt: Attempt, folder: Path, *, offline: bool
) -> tuple[str, ...]:
    """The uv command that resolves `attempt`, whose files lie in `folder`."""
    words = [uv, "pip", "compile", "--color", "never", "--no-progress", "--no-header"]
    words += ["--annotation-style", "split", "--generate-hashes"]
    words += ["--python", request.interpreter_path]
    words += ["--output-file", str(folder / "lock.txt")]
    for option, lines in (("constraints", attempt.constraints), ("overrides", attempt.overrides)):
        if lines:
            words += [f"--{option}", str(folder / f"{option}.in")]
    if attempt.lowest:
        words += ["--resolution", "lowest-direct"]
    if request.exclude_newer:
        words += ["--exclude-newer", request.exclude_newer]
    for package in exempt(request):
        words += ["--exclude-newer-package", f"{package}={NEVER}"]
    for package in attempt.wheels:
        words += ["--only-binary", package]
    if offline:
        words.append("--offline")
    return (*words, *(str(folder / name) for name, lines in attempt.requirements.items() if lines))


def files(attempt: Attempt) -> dict[str, str]:
    """File name → content of everything `argv` names."""
    lines = {
        **attempt.requirements,
        "constraints.in": attempt.constraints,
        "overrides.in": attempt.overrides,
        "lock.txt": attempt.seeds,
    }
    return {name: "".join(f"{line}\n" for line in kept) for name, kept in lines.items() if kept}


def _overrides(request: Request, stage: Stage) -> tuple[str, ...]:
    # A marker that is never true takes the package out, wherever it is asked for.
    gone = tuple(f"{name} ; python_version < '0'" for name in sorted(stage.without))
    return gone + ((django(request),) if stage.forced else ())


def _loosen(text: str, request: Request, pins: dict[str, str], stage: Stage) -> str:
    requirement = read(text)
    if requirement is None or requirement.url:
        return text.partition(" --hash")[0]
    name = canonicalize_name(requirement.name)
    keep = pins.get(name, "")
    unpinned = request.policy == "latest" and bool(pinned(requirement))
    free = stage.everything or unpinned or name in GIVES_WAY | stage.released
    if not free and (not keep or not _passed(requirement, keep)):
        return str(requirement)
    if not free and pinned(requirement):
        return respecified(requirement, f"=={keep}")
    return respecified(requirement, _floor(requirement, keep))


def _passed(requirement: Requirement, keep: str) -> bool:
    """Whether the path has already moved the package beyond what the project allows."""
    inside = requirement.specifier.contains(keep, prereleases=True)
    return not inside and capped(requirement) and not below(keep, requirement)


def _floor(requirement: Requirement, keep: str) -> str:
    """Never back: an old release without a cap is no answer to a cap."""
    clauses = [str(c) for c in requirement.specifier if c.operator == "!="]
    own = not keep or below(keep, requirement)
    lowest = [_lower(c) for c in requirement.specifier] if own else [f">={keep}"]
    return ",".join(dict.fromkeys(c for c in (*lowest, *clauses) if c))


def _lower(clause: Specifier) -> str:
    if clause.operator not in _LOWER:
        return ""
    operator = ">" if clause.operator == ">" else ">="
    return operator + clause.version.removesuffix(".*").partition("+")[0]


def respecified(requirement: Requirement, specifier: str) -> str:
    """The requirement with its extras and marker, and other versions; "" for any."""
    marker = f" ; {requirement.marker}" if requirement.marker else ""
    floor = specifier.partition("+")[0] if specifier.startswith(">=") else specifier
    return f"{requirement.name}{extras_text(requirement.extras)}{floor}{marker}"


def _bounds(request: Request, previous: Lock | None, stage: Stage) -> tuple[str, ...]:
    """Hold what no requirement names: an ancient release without a cap is no answer to a cap."""
    operator = "==" if request.policy == "frozen" else ">="
    return tuple(
        f"{name}{operator}{version if operator == '==' else version.partition('+')[0]}"
        for name, version in floors(request, previous).items()
        if name not in DJANGO_OWN | stage.sunk
    )
