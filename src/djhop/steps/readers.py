"""Which names are read by code: of the project, and of the packages it is installed with."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

#: A larger file holds data.
LARGEST = 2 * 1024 * 1024
#: Django's own code does not read what it does not know.
LEFT_OUT = frozenset({"django", "__pycache__", "node_modules", ".git", ".hg", ".venv", "venv"})


def read_names(names: Iterable[str], *roots: Path, quoted: bool = False) -> frozenset[str]:
    """Return which of `names` some Python file in `roots` does more with than to set it.

    What stands only in comments, or where it gets a value, is not read; nor is a name that code
    puts together from parts. `quoted`: only as a text, such as the key of a dict.
    """
    left, found = set(names), set[str]()
    for path in _files(roots) if left else ():
        text = _text(path)
        here = {name for name in left if name in text and _is_read(name, text, quoted=quoted)}
        found, left = found | here, left - here
        if not left:
            break
    return frozenset(found)


def _is_read(name: str, text: str, *, quoted: bool) -> bool:
    literal = rf"['\"]{re.escape(name)}['\"]"
    word = literal if quoted else rf"\b{re.escape(name)}\b"
    gets = rf"{literal}\s*:" if quoted else rf"\b{re.escape(name)}\s*(?::[^=]+)?=(?!=)"
    for line in text.splitlines():
        code = line.partition("#")[0]
        if len(re.findall(word, code)) > len(re.findall(gets, code)):
            return True
    return False


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST:
            return ""
        return path.read_text("utf-8", errors="replace")
    except OSError:
        return ""


def _files(roots: Iterable[Path]) -> Iterator[Path]:
    for root in roots:
        for folder, folders, files in os.walk(root):
            folders[:] = sorted(name for name in folders if name not in LEFT_OUT)
            yield from (Path(folder, name) for name in sorted(files) if name.endswith(".py"))
