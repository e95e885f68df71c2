"""Locks kept from run to run: `<cache>/locks/<key>.json`, written aside and renamed into place."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from djhop import durable
from djhop.masking import mask
from djhop.resolve import locks
from djhop.resolve.locks import Lock, Unresolvable

if TYPE_CHECKING:
    from djhop.resolve.request import Request

#: What uv reads from the environment that changes no lock.
_IRRELEVANT = re.compile(
    r"UV_(CACHE_DIR|CONCURRENT_.*|HTTP_.*|REQUEST_TIMEOUT|LINK_MODE|NO_PROGRESS|NO_CACHE|OFFLINE"
    r"|NATIVE_TLS|SYSTEM_CERTS|INSECURE_HOST|PYTHON_.*|KEYRING_PROVIDER|.*_USERNAME|.*_PASSWORD)"
)


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """`locks/<key>.json`."""

    #: Seconds since 1970.
    created: float
    lock: Lock | None = None
    unresolvable: Unresolvable | None = None
    format: int = locks.FORMAT


def cache_key(
    request: Request, previous: Lock | None, *, uv_version: str, env: Mapping[str, str], cwd: str
) -> str:
    """Hash of all that decides a lock: request, lock before, uv, its settings and index."""
    place = request.interpreter_key or request.interpreter_path
    return _hashed(
        {
            "format": locks.FORMAT,
            "request": msgspec.structs.replace(request, interpreter_path=place),
            "previous": previous.key if previous else "",
            "uv": uv_version,
            "env": {
                name: mask(value)
                for name, value in env.items()
                if name.startswith("UV_") and not _IRRELEVANT.fullmatch(name)
            },
            "settings": _settings(Path(cwd), env),
        }
    )


def _settings(folder: Path, env: Mapping[str, str]) -> dict[str, str]:
    """What uv would read from the target (uv.toml and [tool.uv]) and from the user's uv.toml."""
    user = Path(env.get("XDG_CONFIG_HOME") or Path(env.get("HOME", ""), ".config"))
    places = {"uv.toml": folder, "pyproject.toml": folder, "uv/uv.toml": user}
    found = {}
    for name, place in places.items():
        with contextlib.suppress(OSError, ValueError):  # missing, or no TOML
            found[name] = _stated(Path(name).name, (place / name).read_text(encoding="utf-8"))
    return found


@functools.lru_cache(maxsize=3)  # the cells of a run ask for the same three
def _stated(name: str, text: str) -> str:
    table = tomllib.loads(text) if "uv" in text or name == "uv.toml" else {}
    return repr(table if name == "uv.toml" else table.get("tool", {}).get("uv"))


def masked(lock: Lock) -> Lock:
    """The lock as it may be kept: without credentials."""
    return msgspec.structs.replace(lock, pins=tuple(mask(pin) for pin in lock.pins))


def unmasked(lock: Lock, requirements: tuple[str, ...]) -> Lock:
    """Put the credentials of the project's own URL requirements back into the pins."""
    secrets: dict[str, str] = {}
    for requirement in requirements:
        for url in re.findall(r"[A-Za-z][A-Za-z0-9+.-]*://[^/\s]*@[^/\s]+", requirement):
            secrets[mask(url)] = url
    pins = lock.pins
    for hidden, url in secrets.items():
        pins = tuple(pin.replace(hidden, url) for pin in pins)
    return msgspec.structs.replace(lock, pins=pins)


def _hashed(parts: dict[str, Any]) -> str:
    """Hash of everything that goes into a lock."""
    return hashlib.sha256(msgspec.json.encode(parts, order="sorted")).hexdigest()[:32]


def load(path: Path) -> Kept | None:
    """Read what was kept; None where there is nothing, or nothing of this format."""
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=Kept)
    except durable.UNREADABLE:
        return None
    with contextlib.suppress(OSError):
        os.utime(path)  # when it was used last: the longest unused are removed first
    return kept if kept.format == locks.FORMAT else None


def keep(path: Path, answer: Lock | Unresolvable, created: float) -> None:
    """Keep a lock, or a proof that there is none; what a machine may repair is not kept."""
    if isinstance(answer, Lock):
        durable.write(path, msgspec.json.encode(Kept(created=created, lock=masked(answer))))
    elif answer.kind in {"conflict", "python"}:
        durable.write(path, msgspec.json.encode(Kept(created=created, unresolvable=answer)))
