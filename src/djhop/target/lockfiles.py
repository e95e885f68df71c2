"""Lock files of uv, Poetry, PDM and Pipenv, and pylock.toml: the versions a project has today.

pylock.toml (PEP 751) is read by `packaging`. The others are TOML and JSON that only their own tools
read; of them names, versions and markers are taken, and the number of their format is checked.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from packaging.pylock import Pylock, PylockValidationError, is_valid_pylock_path
from packaging.requirements import Requirement

from djhop.errors import UsageError
from djhop.target import poetry, tree
from djhop.target.stated import Stated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Locked(msgspec.Struct, frozen=True, kw_only=True):
    """What a lock file holds of package indexes and repositories; local packages are left out."""

    #: Path from the target's root.
    path: str
    #: "name==version", with the marker under which the file has it.
    pins: tuple[Stated, ...]
    #: Package as written → the commit of its repository.
    commits: dict[str, str] = {}


class _Entry(msgspec.Struct, frozen=True):
    """One package of a lock file; a `commit` where it is no release of an index."""

    name: str
    version: str = ""
    marker: str = ""
    commit: str = ""


#: Lock file → where it says the version of its format, and those that are known.
_FORMATS = {
    "uv.lock": (("version",), ("1",)),
    "poetry.lock": (("metadata", "lock-version"), ("1", "2")),
    "pdm.lock": (("metadata", "lock_version"), ("2", "3", "4")),
    "Pipfile.lock": (("_meta", "pipfile-spec"), ("6",)),
}
#: What to type where a lock file cannot be used.
_COMMANDS = {
    "uv.lock": "uv lock",
    "poetry.lock": "poetry lock",
    "pdm.lock": "pdm lock",
    "Pipfile.lock": "pipenv lock",
}


def is_lock(name: str) -> bool:
    """Whether a file's name is that of a lock file."""
    return Path(name).name in _FORMATS or is_valid_pylock_path(Path(name))


def found(root: Path) -> tuple[tuple[str, str], ...]:
    """The lock files in `root`, and why each counts; that of the tool in use comes first."""
    project = tree.read_toml(root, "pyproject.toml")
    tools = project.get("tool", {})
    tools = tools if isinstance(tools, dict) else {}
    reasons = {
        "uv.lock": ("pyproject.toml has [tool.uv]", "uv" in tools),
        "poetry.lock": ("pyproject.toml has [tool.poetry]", "poetry" in tools),
        "pdm.lock": ("pyproject.toml has [tool.pdm]", "pdm" in tools),
        "Pipfile.lock": ("beside Pipfile", (root / "Pipfile").is_file()),
        "pylock.toml": ("it is there", False),
    }
    there = [name for name in reasons if (root / name).is_file()]
    there.sort(key=lambda name: not reasons[name][1])
    return tuple((n, reasons[n][0] if reasons[n][1] else "it is there") for n in there)


def read(root: Path, name: str) -> Locked:
    """Read the lock file `root/name`.

    Raises:
        UsageError: it is broken, or of a format that djhop does not know; the message starts with
            the file, and its line where that is known.
    """
    try:
        entries = list(_entries(root, name))
    except RecursionError as error:
        raise UsageError(f"{name}: nested too deeply") from error
    released = [text for entry in entries if not entry.commit and (text := _pin(entry))]
    return Locked(
        path=name,
        pins=tuple(Stated(text=text, place=name) for text in dict.fromkeys(released)),
        commits={entry.name: entry.commit for entry in entries if entry.commit},
    )


def empty(name: str) -> UsageError:
    """What to say of a lock file that locks nothing."""
    return UsageError(f"{name}: it locks no package", hint=_hint(name))


def _hint(name: str) -> str:
    command = _COMMANDS.get(Path(name).name, "")
    again = f"lock again with `{command}`, or " if command else ""
    return f"{again}name what to read instead with `requirements` in [tool.djhop]"


def _pin(entry: _Entry) -> str:
    """The pin as a requirement; "" where there is no version that an index could have."""
    plain = f"{entry.name}=={entry.version}"
    for text in (f"{plain} ; {entry.marker}" if entry.marker else plain, plain):
        try:
            return str(Requirement(text))
        except ValueError:
            # A marker that only the tool itself understands says nothing here.
            continue
    return ""


def _entries(root: Path, name: str) -> Iterator[_Entry]:
    base = Path(name).name
    if base == "Pipfile.lock":
        return _of_pipenv(_known(_read_json(root, name), name), name)
    table = tree.read_toml(root, name)
    if base not in _FORMATS:
        return _of_pylock(table, name)
    packages = _known(table, name).get("package", [])
    if not isinstance(packages, list) or not all(isinstance(item, dict) for item in packages):
        raise UsageError(f"{name}: [[package]] should be a list of tables", hint=_hint(name))
    readers: dict[str, Callable[[dict[str, Any], str], _Entry | None]] = {
        "uv.lock": _of_uv,
        "poetry.lock": _of_poetry,
        "pdm.lock": _of_pdm,
    }
    return (entry for item in packages if (entry := readers[base](item, name)) is not None)


def _read_json(root: Path, name: str) -> dict[str, Any]:
    text = tree.read_if_there(root, name)
    try:
        table = json.loads(text) if text.strip() else {}
    except json.JSONDecodeError as error:
        raise UsageError(
            f"{name}:{error.lineno}: not valid JSON: {error.msg}", hint=_hint(name)
        ) from error
    except ValueError as error:  # a number of too many digits
        raise UsageError(f"{name}: not valid JSON: {error}", hint=_hint(name)) from error
    if not isinstance(table, dict):
        raise UsageError(f"{name}: it should be a table", hint=_hint(name))
    return table


def _known(table: dict[str, Any], name: str) -> dict[str, Any]:
    """The table, where its format is one we know."""
    path, known = _FORMATS[Path(name).name]
    value: Any = table
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    if value is not None and str(value).partition(".")[0] not in known:
        raise UsageError(
            f"{name}: its format is {str(value)!r}; djhop reads {' and '.join(known)}",
            hint=_hint(name),
        )
    return table


def _of_uv(item: dict[str, Any], _: str) -> _Entry | None:
    source = item.get("source", {"registry": ""})
    source = source if isinstance(source, dict) else {}
    markers = item.get("resolution-markers", [])
    texts = [f"({m})" for m in markers if m] if isinstance(markers, list) else []
    commit = str(source.get("git", "")).partition("#")[2]
    if not commit and "registry" not in source:
        return None
    return _entry(item, marker=" or ".join(texts), commit=commit)


def _of_poetry(item: dict[str, Any], name: str) -> _Entry | None:
    source = item.get("source", {})
    source = source if isinstance(source, dict) else {}
    commit = str(source.get("resolved_reference", "")) if source.get("type") == "git" else ""
    if not commit and source.get("type", "legacy") != "legacy":
        return None
    marker = item.get("markers", "")
    if isinstance(marker, dict):
        marker = " or ".join(f"({m})" for m in marker.values() if m)
    if not marker:
        # Of several versions of a package, the older format tells them apart by Python alone.
        marker = _python_marker(str(item.get("python-versions", "*")), name)
    return _entry(item, marker=str(marker), commit=commit)


def _of_pdm(item: dict[str, Any], name: str) -> _Entry | None:
    if {"path", "url"} & item.keys():
        return None
    commit = str(item.get("revision", "")) if "git" in item else ""
    marker = item.get("marker") or _python_marker(str(item.get("requires_python", "*")), name)
    return _entry(item, marker=str(marker), commit=commit)


def _python_marker(text: str, name: str) -> str:
    try:
        return poetry.marker({"python": text}, name)
    except (UsageError, ValueError):
        return ""


def _of_pipenv(table: dict[str, Any], _: str) -> Iterator[_Entry]:
    for section, packages in table.items():
        if section == "_meta" or not isinstance(packages, dict):
            continue
        for name, item in packages.items():
            if not isinstance(item, dict) or {"path", "file"} & item.keys():
                continue
            version = str(item.get("version", "")).removeprefix("==")
            commit = str(item.get("ref", "")) if "git" in item else ""
            yield _Entry(str(name), version, str(item.get("markers", "")), commit)


def _of_pylock(table: dict[str, Any], name: str) -> Iterator[_Entry]:
    try:
        packages = Pylock.from_dict(table).packages if table else ()
    except (PylockValidationError, ValueError, TypeError) as error:
        raise UsageError(f"{name}: not a lock file of PEP 751: {error}") from error
    for package in packages:
        if package.directory or package.archive:
            continue
        yield _Entry(
            package.name,
            str(package.version or ""),
            str(package.marker or ""),
            package.vcs.commit_id if package.vcs else "",
        )


def _entry(item: dict[str, Any], *, marker: str, commit: str) -> _Entry:
    return _Entry(str(item.get("name", "")), str(item.get("version", "")), marker, commit)
