"""Texts that are nearly right: real ones, cut, flipped, spliced and stuffed.

Random bytes are refused by the first line of any parser. What breaks one is what it understands up
to a place. Each input has a number, and is always the same.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

#: Edits of one input, at most.
MOST = 6
#: Bytes of one input, at most: what grows without end is a test of its own.
LIMIT = 256 * 1024

#: What trips parsers of every grammar.
PIECES: tuple[bytes, ...] = (
    *(b"", b"\n", b"\r\n", b"\t", b" ", b"\0", b"\x1b[2J", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80"),
    *(b"[", b"]", b"[[", b"]]", b"{", b"}", b"(", b")", b"<", b">", b"</", b"/>", b"<!--", b"<![CDATA["),
    *(b'"', b"'", b'"""', b"'''", b"\\", b"\\u0000", b"\\ud800", b"\\N{x}", b"&amp;", b"&#0;", b"&x;"),
    *(b"=", b"==", b"===", b":", b";", b",", b".", b"#", b"%", b"%(x)s", b"${X}", b"$", b"@", b"*", b"|", b"~", b"^", b"!"),
    *(b"-r ", b"-c ", b"-e ", b"-e .", b"--hash=", b"../", b"/", b"file:///", b"https://u:p@h/", b"git+ssh://"),
    *(b"null", b"true", b"false", b"NaN", b"Infinity", b"-Infinity", b"-1", b"0", b"1e400", b"1e-400", b"0x", b"9" * 5000),
    *(b"2026-11-21", b"9999-99-99", b"0000-00-00T00:00:00", b"-0001-01-01", b"99.99.99", b"1!2.dev0+x"),
    *(b"[" * 2000, b'{"a":' * 2000, b"(" * 500, b"a." * 2000, b"-" * 2000, b"x" * 20_000, b"{a=" * 2000),
    *(b"<a>" * 3000, b'<!DOCTYPE a [<!ENTITY b "bb">]>', b'<!ENTITY % d SYSTEM "file:///etc/passwd">', b"&b;" * 1000),
    *("é".encode(), "\u202e".encode(), "\u2028".encode(), "🦄".encode(), "İ".encode(), "\x85".encode(), "²".encode()),
    *(b"py3.12-django5.2", b"..", b"django", b"Django>=4.2", b"python", b"*", b"name", b"version", b"import ", b"def f(): ", b"lambda: "),
)  # fmt: skip


def numbered(name: str, number: int, seeds: Sequence[bytes]) -> bytes:
    """Make input `number` of the parser `name`: one of `seeds`, edited; the first are as they are."""
    data = seeds[number % len(seeds)]
    if number < len(seeds):
        return data
    chance = random.Random(f"{name} {number}")
    for _ in range(min(chance.randint(1, MOST), chance.randint(1, MOST))):
        what, where, far = chance.randrange(9), chance.randrange(65536), chance.randrange(256)
        data = _edited(data, what, where, far, chance.randrange(65536), seeds)[:LIMIT]
    return data


def _edited(
    data: bytes, what: int, where: int, far: int, piece: int, seeds: Sequence[bytes]
) -> bytes:
    """One edit; `where` is a share of the whole in 65536ths."""
    at = where * (len(data) + 1) >> 16
    end = min(len(data), at + far)
    extra = PIECES[piece % len(PIECES)]
    other = seeds[piece % len(seeds)]
    match what:
        case 0:  # a bit
            flipped = bytes([data[at] ^ (1 << far % 8)]) if at < len(data) else b""
            return data[:at] + flipped + data[at + 1 :]
        case 1:
            return data[:at] + extra + data[at:]
        case 2:
            return data[:at] + extra + data[end:]
        case 3:
            return data[:at] + data[end:]
        case 4:
            return data[:at]
        case 5:  # what stands there, again and again
            return data[:at] + data[at:end] * (piece % 50) + data[at:]
        case 6:  # a line of another text
            lines = other.splitlines(keepends=True) or [b""]
            return data[:at] + lines[far % len(lines)] + data[at:]
        case 7:  # the beginning of one, the end of another
            return data[:at] + other[len(other) * far // 255 :]
        case _:  # two words change places
            return _swapped(data, at, far)


def _swapped(data: bytes, at: int, far: int) -> bytes:
    words = data[at : at + 400].split(b" ")
    if len(words) < 2:
        return data
    one, two = far % len(words), (far >> 3) % len(words)
    words[one], words[two] = words[two], words[one]
    return data[:at] + b" ".join(words) + data[at + 400 :]
