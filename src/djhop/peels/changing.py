"""The files of a scratch copy, changed for one layer, and put back where that does not help."""

from __future__ import annotations

from pathlib import Path

from djhop.peels import leaving
from djhop.peels.ways import Way


class Change:
    """What a way does to the files of the scratch copy, and how they were."""

    def __init__(self, tree: Path, way: Way) -> None:
        self.tree, self.way = tree, way
        self.changed = False
        self._were = {
            name: (tree / name).read_bytes()
            for name in way.files
            if (tree / name).is_file() and not (tree / name).is_symlink()
        }

    def emptied(self) -> str:
        """Empty the files that are left out; say what is done, or "" where it cannot be."""
        if len(self._were) < len(self.way.files):
            return ""
        for name in self.way.files:
            self._write(name, leaving.content(self.way.what).encode())
        return self.way.what

    def undo(self) -> None:
        """Make the files again what they were."""
        for name, content in self._were.items():
            self._write(name, content)

    def _write(self, name: str, content: bytes) -> None:
        if (self.tree / name).read_bytes() != content:
            (self.tree / name).write_bytes(content)
