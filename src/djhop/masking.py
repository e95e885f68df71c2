"""What must not be read in a log or a report: values of variables that look secret.

A value is known by the name of its variable ("SECRET_KEY", "PGPASSWORD", "AWS_ACCESS_KEY_ID"); of
a URL with credentials ("postgres://shop:hunter2@db/shop"), whatever its name, the password is one.
It is replaced wherever it comes by, also as it stands in XML, a URL or a repr. The probe is told
where secrets stand in its own environment, and masks what it writes itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.sax.saxutils import escape, quoteattr

MASK = "****"
NAME = re.compile(
    r"password|passwd|passphrase|secret|token|credential|apikey"
    r"|(?:^|_)(?:pass|pwd|key|auth|dsn|salt)\d*(?:_|$)|(?:^|_)PG?PASS",
    re.IGNORECASE,
)
#: The end of a longer scheme is one as well; to look for its beginning would take for ever.
_CREDENTIALS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,30}://)[^/\s'\"`]*@")
_USERINFO = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://([^/?#\s]*)@")
#: Where a shell says in which folder it is: no password, though it is called like one.
PLACE = "PWD"
#: A shorter value would make words of a report disappear, and is no secret.
SHORTEST = 6
#: Nor are these, which stand everywhere: masked, a report could not be read.
COMMON = frozenset(
    {
        "default",
        "development",
        "django",
        "localhost",
        "mariadb",
        "password",
        "postgres",
        "postgresql",
        "pytest",
        "python",
        "secret",
        "settings",
        "testing",
    }
)
#: A line of a secret of several lines is one itself from this length on.
LINE = 16
#: Bytes of a file looked at at once.
CHUNK = 1 << 20


def spans(environ: Mapping[str, str]) -> dict[str, tuple[tuple[int, int], ...]]:
    """Return where in which variables something secret stands: {name: ((start, end), …)}."""
    found = {}
    for name, value in environ.items():
        starts = {secret: value.find(secret) for secret in _of(name, value)}
        if places := tuple((at, at + len(secret)) for secret, at in starts.items() if at >= 0):
            found[name] = places
    return found


def values(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return what is secret in an environment, the longest first."""
    found = {secret for name, value in environ.items() for secret in _of(name, value)}
    return tuple(sorted(found, key=lambda secret: (-len(secret), secret)))


def numbered(environ: Mapping[str, str]) -> Callable[[str], str]:
    """Return what masks a text as the probe does: what each variable holds has a number."""
    found: dict[str, str] = {}
    for number, name in enumerate(sorted(spans(environ)), 1):
        for secret in _of(name, environ[name]):
            for form in (secret, repr(secret)[1:-1], ascii(secret)[1:-1]):
                found.setdefault(form, f"{MASK}{number}")
    pairs = sorted(found.items(), key=lambda pair: -len(pair[0]))

    def hide(text: str) -> str:
        for secret, instead in pairs:
            text = text.replace(secret, instead)
        return text

    return hide


def mask(text: str, secrets: tuple[str, ...] = ()) -> str:
    """Replace the credentials of every URL in `text`, and each of `secrets`, by asterisks."""
    for secret in secrets:
        text = text.replace(secret, MASK)
    return _CREDENTIALS.sub(rf"\1{MASK}@", text)


def shown(settings: Any) -> Any:
    """Return settings (plain data) as a report may show them; keys are the names of variables.

    What is secret by its name is masked in all other texts too: a command may hold it as well.
    """
    return _shown(settings, named(settings))


def named(settings: Any) -> tuple[str, ...]:
    """Return what in settings (plain data) is secret by its key, the longest first."""
    return tuple(sorted(set(_named(settings, "")), key=lambda secret: (-len(secret), secret)))


def _named(settings: Any, name: str) -> Iterator[str]:
    if isinstance(settings, dict):
        for key, value in settings.items():
            yield from _named(value, key)
    elif isinstance(settings, str):
        yield from _of(name, settings)


def _shown(settings: Any, secrets: tuple[str, ...]) -> Any:
    if isinstance(settings, dict):
        return {key: _shown(value, secrets) for key, value in settings.items()}
    if isinstance(settings, list):
        return [_shown(value, secrets) for value in settings]
    return mask(settings, secrets) if isinstance(settings, str) else settings


def _of(name: str, value: str) -> Iterator[str]:
    credentials = _USERINFO.match(value)
    user, _, password = credentials[1].partition(":") if credentials else ("", "", "")
    wanted = [password or user, unquote(password or user)]
    if NAME.search(name) and name != PLACE:
        wanted += [value, *(line for line in value.split("\n") if len(line.strip()) >= LINE)]
    for secret in wanted:
        if len(secret.strip()) >= SHORTEST and secret.strip().lower() not in COMMON:
            yield secret.strip()


class Masker:
    """Masks a stream of bytes that comes in pieces; a secret may lie across two of them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        forms = {form.encode(errors="replace") for v in values(environ) for form in _forms(v)}
        ordered = sorted(forms, key=len, reverse=True)
        self._longest = len(ordered[0]) if ordered else 0
        self._pattern = re.compile(b"|".join(map(re.escape, ordered)))
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """Return what of the data so far can be shown."""
        if not self._longest:
            return data
        data = self._held + data
        cut = max(0, len(data) - self._longest + 1)
        for match in self._pattern.finditer(data):
            if match.start() >= cut:
                break
            cut = max(cut, match.end())
        self._held = data[cut:]
        return self._masked(data[:cut])

    def rest(self) -> bytes:
        """Return what was held back; the stream has ended."""
        held, self._held = self._held, b""
        return self._masked(held) if held else b""

    def _masked(self, data: bytes) -> bytes:
        return self._pattern.sub(MASK.encode(), data)


def _forms(secret: str) -> set[str]:
    quoted = quoteattr(secret)[1:-1]
    written = {secret, repr(secret)[1:-1], ascii(secret)[1:-1]}
    return {*written, *map(escape, written), quoted, repr(repr(secret)[1:-1])[1:-1]}


def rewrite(path: Path, environ: Mapping[str, str]) -> None:
    """Mask a file that something else has written; no file there is no error."""
    if not path.is_file() or not values(environ):
        return
    masker = Masker(environ)
    aside = path.with_name(f"{path.name}.masked")
    with path.open("rb") as found, aside.open("wb") as made:
        while data := found.read(CHUNK):
            made.write(masker.feed(data))
        made.write(masker.rest())
    aside.replace(path)
