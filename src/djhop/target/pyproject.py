"""pyproject.toml: [project], dependency groups, and the tables of Poetry, PDM, uv, setuptools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from djhop.errors import UsageError
from djhop.target import poetry, tree
from djhop.target.metadata import BY_HAND, Metadata, Part, Section, merged, normal

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def read(root: Path) -> Metadata:
    """Read the metadata in pyproject.toml; empty where there is none.

    Raises:
        UsageError: it is not TOML, or a key holds what it cannot hold.
    """
    return _from_table(tree.read_toml(root, "pyproject.toml"))


def _table(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UsageError(f"pyproject.toml: {where} should be a table")
    return value


def _strings(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise UsageError(f"pyproject.toml: {where} should be a list of strings")
    return tuple(value)


def _string(table: dict[str, Any], key: str, where: str) -> str:
    value = table.get(key, "")
    if not isinstance(value, str):
        raise UsageError(f"pyproject.toml: {where} {key} should be a string")
    return value


def _part(
    label: str,
    texts: Iterable[str],
    files: tuple[str, ...] = (),
    section: Section = BY_HAND,
) -> Part:
    return Part(
        path="pyproject.toml",
        kind="pyproject",
        label=label,
        section=section,
        texts=tuple(texts),
        files=files,
    )


def _from_table(table: dict[str, Any]) -> Metadata:
    project = _table(table.get("project", {}), "[project]")
    tool = _table(table.get("tool", {}), "[tool]")
    poetry_table = _table(tool.get("poetry", {}), "[tool.poetry]")
    old = _from_poetry(poetry_table)
    dynamic = _dynamic(tool)
    uv = _table(tool.get("uv", {}), "[tool.uv]")
    sources = _table(uv.get("sources", {}), "[tool.uv.sources]")

    def strings(value: Any, where: str) -> tuple[str, ...]:
        texts = _strings(value, where)
        return tuple(poetry.sourced(t, sources, "[tool.uv.sources]") for t in texts)

    label = "[project] dependencies"
    texts = strings(project.get("dependencies", []), label)
    dependencies = (_part(label, texts, section=Section(keeper="project")),)
    extras = {
        normal(name): _part(
            f"extra {name}",
            strings(items, f"extra {name}"),
            section=Section(keeper="project", extra=name),
        )
        for name, items in _table(
            project.get("optional-dependencies", {}), "[project.optional-dependencies]"
        ).items()
    }
    classifiers = _strings(project.get("classifiers", []), "[project] classifiers")
    requires = _string(project, "requires-python", "[project]")
    new = Metadata(
        name=_string(project, "name", "[project]"),
        packaged="build-system" in table and poetry_table.get("package-mode") is not False,
        dependencies=dependencies if dependencies[0].texts else (),
        extras=dynamic.extras | extras,
        groups=_other_groups(tool),
        dependency_groups=_table(table.get("dependency-groups", {}), "[dependency-groups]"),
        requires_python=requires,
        requires_python_source="pyproject.toml" if requires else "",
        classifiers=classifiers,
        classifiers_source="pyproject.toml" if classifiers else "",
        package_roots=_package_roots(tool),
    )
    return merged([new, dynamic, old])


def _dynamic(tool: dict[str, Any]) -> Metadata:
    """The requirement files that [tool.setuptools.dynamic] names."""
    setuptools = _table(tool.get("setuptools", {}), "[tool.setuptools]")
    table = _table(setuptools.get("dynamic", {}), "[tool.setuptools.dynamic]")

    def files(entry: Any) -> tuple[str, ...]:
        named = entry.get("file", []) if isinstance(entry, dict) else []
        return (named,) if isinstance(named, str) else tuple(n for n in named if isinstance(n, str))

    needed = files(table.get("dependencies"))
    extras = _table(table.get("optional-dependencies", {}), "[tool.setuptools.dynamic]")
    return Metadata(
        dependencies=(_part("dynamic dependencies", (), needed),) if needed else (),
        extras={
            normal(name): _part(f"extra {name}", (), files(entry)) for name, entry in extras.items()
        },
    )


def _other_groups(tool: dict[str, Any]) -> dict[str, Part]:
    """Groups of the time before [dependency-groups]: PDM's and uv's."""
    pdm = _table(tool.get("pdm", {}), "[tool.pdm]").get("dev-dependencies", {})
    uv = _table(tool.get("uv", {}), "[tool.uv]").get("dev-dependencies", [])
    groups = {
        normal(name): _part(
            f"[tool.pdm.dev-dependencies] {name}",
            _strings(items, name),
            section=Section(keeper="pdm", group=name),
        )
        for name, items in _table(pdm, "[tool.pdm.dev-dependencies]").items()
    }
    if uv:
        label = "[tool.uv] dev-dependencies"
        section = Section(keeper="uv", group="dev")
        groups.setdefault("dev", _part(label, _strings(uv, label), section=section))
    return groups


def _package_roots(tool: dict[str, Any]) -> tuple[str, ...]:
    setuptools = _table(tool.get("setuptools", {}), "[tool.setuptools]")
    directory = setuptools.get("package-dir", {})
    packages = setuptools.get("packages", {})
    found = [directory.get("", "")] if isinstance(directory, dict) else []
    if isinstance(packages, dict) and isinstance(find := packages.get("find", {}), dict):
        where = find.get("where", [])
        found += where if isinstance(where, list) else [where]
    return tuple(item for item in found if isinstance(item, str) and item not in ("", "."))


def _from_poetry(table: dict[str, Any]) -> Metadata:
    if not table:
        return Metadata()
    needed = _table(table.get("dependencies", {}), "[tool.poetry.dependencies]")
    where = "pyproject.toml [tool.poetry.dependencies]"
    optional = poetry.optional(needed, where)
    extras = _table(table.get("extras", {}), "[tool.poetry.extras]")
    new = _table(table.get("group", {}), "[tool.poetry.group]")
    groups = {"dev": {"dependencies": table.get("dev-dependencies", {})}, **new}
    python = needed.get("python", "")
    requires = poetry.specifier(python, where) if isinstance(python, str) else ""
    return Metadata(
        name=_string(table, "name", "[tool.poetry]"),
        dependencies=(
            _part(
                "[tool.poetry.dependencies]",
                poetry.requirements(needed, where),
                section=Section(keeper="poetry"),
            ),
        ),
        extras={
            normal(name): _part(
                f"extra {name}",
                (text for n in _strings(items, name) for text in optional.get(n.lower(), ())),
                section=Section(keeper="poetry", extra=name),
            )
            for name, items in extras.items()
        },
        groups={
            normal(name): _part(
                f"[tool.poetry.group.{name}]",
                poetry.requirements(
                    _table(group, f"[tool.poetry.group.{name}]").get("dependencies", {}),
                    f"pyproject.toml [tool.poetry.group.{name}]",
                ),
                # `poetry add` writes nothing into the old [tool.poetry.dev-dependencies].
                section=Section(keeper="poetry", group=name) if name in new else BY_HAND,
            )
            for name, group in groups.items()
        },
        requires_python=requires,
        requires_python_source="pyproject.toml" if requires else "",
    )
