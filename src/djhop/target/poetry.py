"""Dependency tables of Poetry, Pipenv and uv: names and versions as keys and values."""

from __future__ import annotations

import re
from typing import Any

from packaging.version import Version

from djhop.errors import UsageError

#: https://python-poetry.org/docs/dependency-specification/
_PART = re.compile(r"(\^|~=|~|===|==|!=|<=|>=|<|>)?\s*([^\s,|<>=!~^]+)")


def requirements(table: Any, where: str) -> tuple[str, ...]:
    """Turn a table of dependencies into requirements as pip writes them.

    `python` is left out, and so is what is optional.

    Raises:
        UsageError: an entry cannot be understood; the message names it.
    """
    found: list[str] = []
    for name, entry in _table(table, where).items():
        if name.lower() == "python":
            continue
        for choice in entry if isinstance(entry, list) else [entry]:
            if isinstance(choice, dict) and choice.get("optional") is True:
                continue
            found.append(_requirement(name, choice, f"{where} {name}"))
    return tuple(found)


def optional(table: Any, where: str) -> dict[str, tuple[str, ...]]:
    """The entries that are only installed for an extra, by name in lower case."""
    return {
        name.lower(): (_requirement(name, entry, f"{where} {name}"),)
        for name, entry in _table(table, where).items()
        if isinstance(entry, dict) and entry.get("optional") is True
    }


def specifier(text: str, where: str) -> str:
    """Turn a Poetry constraint into a specifier of PEP 440: "^3.2" → ">=3.2,<4".

    Alternatives ("^3 || ^4") become one range from the lowest to the highest.

    Raises:
        UsageError: a version in it cannot be understood.
    """
    choices = [_range(choice, where) for choice in re.split(r"\|\|?", text)]
    if len(choices) == 1:
        return ",".join(choices[0])
    lowest = [part for part in choices[0] if part.startswith(">")]
    highest = [part for part in choices[-1] if part.startswith(("<", "=="))]
    highest = [part.replace("==", "<=") if part[-1] != "*" else part for part in highest]
    return ",".join([*lowest, *(part for part in highest if part[-1] != "*")])


def sourced(requirement: str, sources: Any, where: str) -> str:
    """Put in the repository, URL or path that `[tool.uv.sources]` names for a requirement."""
    name = re.match(r"[\w.-]+", requirement)
    entry = _table(sources, where).get(name[0]) if name else None
    if not name or not isinstance(entry, dict) or not ({"git", "url", "path"} & entry.keys()):
        return requirement
    extras = re.match(r"[\w.-]+\s*\[([^\]]*)\]", requirement)
    marker = requirement.partition(";")[2].strip()
    table = {**entry, "extras": extras[1].split(",") if extras else [], "markers": marker}
    return _requirement(name[0], table, where)


def _table(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UsageError(f"{where} should be a table")
    return value


def _requirement(name: str, entry: Any, where: str) -> str:
    if isinstance(entry, str):
        return f"{name}{specifier(entry, where)}"
    if not isinstance(entry, dict):
        raise UsageError(f"{where}: {entry!r} is neither a version nor a table")
    extras = ",".join(str(extra) for extra in entry.get("extras") or ())
    name = f"{name}[{extras}]" if extras and not entry.get("path") else name
    held = marker(entry, where)
    if path := entry.get("path"):
        return f"{path}[{extras}]" if extras else str(path)
    if address := _address(entry):
        return f"{name} @ {address}{' ; ' + held if held else ''}"
    version = specifier(str(entry.get("version", "*")), where)
    return f"{name}{version}{'; ' + held if held else ''}"


def _address(entry: dict[str, Any]) -> str:
    if git := entry.get("git"):
        ref = entry.get("rev") or entry.get("tag") or entry.get("branch") or entry.get("ref")
        below = entry.get("subdirectory")
        return f"git+{git}{f'@{ref}' if ref else ''}{f'#subdirectory={below}' if below else ''}"
    return str(entry.get("url") or entry.get("file") or "")


def marker(entry: dict[str, Any], where: str) -> str:
    """The `markers` and `python` of an entry as one marker of PEP 508; "" where it has none."""
    parts = [str(entry["markers"])] if entry.get("markers") else []
    for part in _range(str(entry.get("python", "*")), where):
        operator, version = re.split(r"(?<=[<>=!~])(?=[^<>=!~])", part, maxsplit=1)
        variable = "python_full_version" if version.count(".") > 1 else "python_version"
        parts.append(f'{variable} {operator} "{version}"')
    return " and ".join(f"({part})" if " or " in part else part for part in parts)


def _range(text: str, where: str) -> list[str]:
    if text.strip() in ("", "*"):
        return []
    found: list[str] = []
    for operator, version in _PART.findall(text):
        if operator in ("^", "~"):
            found += [f">={version}", f"<{_next(operator, version, where)}"]
        else:
            found.append(f"{operator or '=='}{version}")
    if not found:
        raise UsageError(f"{where}: {text!r} is not a version")
    return found


def _next(operator: str, version: str, where: str) -> str:
    """The first version that "^version" or "~version" leaves out."""
    try:
        release = Version(version).release
    except ValueError as error:
        raise UsageError(f"{where}: {version!r} is not a version") from error
    if operator == "~":
        place = min(1, len(release) - 1)
    else:
        place = next((i for i, part in enumerate(release) if part), len(release) - 1)
    return ".".join(str(part) for part in (*release[:place], release[place] + 1))
