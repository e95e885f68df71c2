"""`[service.NAME]` of a matrix: what the suite needs running beside it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping

import msgspec

from djhop.matrix import strict

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_PLACEHOLDER = re.compile(r"\{(service|port|target)\}")


class Service(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"
):
    """One service: a text is split as a shell splits words, a list is taken word for word."""

    start: str | tuple[str, ...]
    #: Run again and again until it exits with 0.
    ready: str | tuple[str, ...]
    #: Run to end it politely; empty: it gets a signal.
    stop: str | tuple[str, ...] = ()
    #: Commands run before `start`, each a text that is split as a shell splits words.
    prepare: tuple[str, ...] = ()
    #: Variables of every cell, and of the service's own commands.
    env: dict[str, str] = {}
    #: Seconds until it has to be ready.
    ready_timeout: float = 60.0


def words(command: str | tuple[str, ...]) -> tuple[str, ...]:
    """Return a command as argv."""
    return tuple(shlex.split(command)) if isinstance(command, str) else command


def filled(text: str, *, service: str, port: int, target: str) -> str:
    """Replace {service}, {port} and {target}; other braces stay."""
    values = {"service": service, "port": str(port), "target": target}
    return _PLACEHOLDER.sub(lambda match: values[match[1]], text)


def wrong(services: Mapping[str, Service]) -> Iterator[tuple[str, str, str]]:
    """Yield (key, what is wrong with its value or "", hint) for what a type cannot say."""
    for name, service in services.items():
        key = f"service.{name}"
        named = bool(_NAME.fullmatch(name))
        hint = 'a name is of letters, digits, "-" and "_"'
        yield key, "" if named else f"{name!r} cannot be a name", hint
        for field in ("start", "ready", "stop"):
            command = getattr(service, field)
            yield f"{key}.{field}", _not_a_command(command, needed=field != "stop"), ""
        for index, line in enumerate(service.prepare):
            yield f"{key}.prepare[{index}]", _not_a_command(line, needed=True), ""
        yield f"{key}.ready-timeout", strict.no_time(service.ready_timeout), ""


def _not_a_command(command: str | tuple[str, ...], *, needed: bool) -> str:
    try:
        argv = words(command)
    except ValueError as error:
        return f"cannot be split into words: {error}"
    return "names no command" if not argv and (needed or command) else ""
