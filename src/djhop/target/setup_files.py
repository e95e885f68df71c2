"""setup.cfg, setup.py and Pipfile as metadata."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from djhop.target import poetry, setup_py, tree
from djhop.target.metadata import Metadata, Part, Section, merged, normal

if TYPE_CHECKING:
    from pathlib import Path


def read(root: Path) -> Metadata:
    """Read the metadata in setup.py and setup.cfg, neither of them run.

    Raises:
        UsageError: setup.cfg has a syntax error.
    """
    found: list[Metadata] = []
    if (root / "setup.py").is_file():
        found.append(_from_setup_py(tree.read_if_there(root, "setup.py"), root))
    if text := tree.read_if_there(root, "setup.cfg"):
        found.append(_from_setup_cfg(tree.read_ini(text, "setup.cfg")))
    return merged(found)


def _from_setup_cfg(sections: dict[str, dict[str, str]]) -> Metadata:
    def section(name: str) -> dict[str, str]:
        return {key.replace("-", "_"): value for key, value in sections.get(name, {}).items()}

    def part(label: str, value: str) -> tuple[Part, ...]:
        lines = [line.strip() for line in value.splitlines()]
        texts = tuple(line for line in lines if line and not line.startswith("#"))
        files: tuple[str, ...] = ()
        if value.strip().startswith("file:"):
            names = value.strip().removeprefix("file:").replace("\n", ",").split(",")
            texts, files = (), tuple(name.strip() for name in names if name.strip())
        if not texts and not files:
            return ()
        return (Part(path="setup.cfg", kind="setup.cfg", label=label, texts=texts, files=files),)

    metadata, options = section("metadata"), section("options")
    classifiers = tuple(
        line.strip() for line in metadata.get("classifiers", "").splitlines() if line.strip()
    )
    requires = options.get("python_requires", "").strip()
    where = section("options.packages.find").get("where", "").strip()
    package_dir = re.findall(r"(?m)^\s*=\s*(\S+)", options.get("package_dir", ""))
    return Metadata(
        name=metadata.get("name", "").strip(),
        dependencies=part("install_requires", options.get("install_requires", "")),
        extras={
            normal(name): found[0]
            for name, value in sections.get("options.extras_require", {}).items()
            if (found := part(f"extra {name}", value))
        },
        tests=part("tests_require", options.get("tests_require", "")),
        requires_python=requires,
        requires_python_source="setup.cfg" if requires else "",
        classifiers=classifiers,
        classifiers_source="setup.cfg" if classifiers else "",
        package_roots=tuple(dict.fromkeys([*package_dir, *([where] if where else [])])),
    )


def _from_setup_py(text: str, root: Path) -> Metadata:
    call = setup_py.read(text)
    notes: list[str] = []
    if call.problem:
        notes.append(f"setup.py is not read: {call.problem}.")

    def part(label: str, value: Any) -> tuple[Part, ...]:
        texts, unread = setup_py.texts(value)
        files = tuple(name for item in unread for name in setup_py.named_files(item, root))
        if unread and not files:
            notes.append(f"setup.py computes {label}; what it computes is not read.")
        if not texts and not files:
            return ()
        return (
            Part(path="setup.py", kind="setup.py", label=label, texts=tuple(texts), files=files),
        )

    def string(key: str) -> str:
        value = call.arguments.get(key, "")
        return value if isinstance(value, str) else ""

    extras = call.arguments.get("extras_require", {})
    package_dir = call.arguments.get("package_dir", {})
    source = package_dir.get("", "") if isinstance(package_dir, dict) else ""
    classifiers = tuple(setup_py.texts(call.arguments.get("classifiers", []))[0])
    requires = string("python_requires")
    return Metadata(
        name=string("name"),
        packaged=True,
        dependencies=part("install_requires", call.arguments.get("install_requires", [])),
        extras={
            normal(name): found[0]
            for name, value in (extras.items() if isinstance(extras, dict) else ())
            if (found := part(f"extra {name}", value))
        },
        tests=part("tests_require", call.arguments.get("tests_require", [])),
        requires_python=requires,
        requires_python_source="setup.py" if requires else "",
        classifiers=classifiers,
        classifiers_source="setup.py" if classifiers else "",
        package_roots=(source,) if isinstance(source, str) and source not in ("", ".") else (),
        notes=tuple(notes),
    )


def read_pipfile(root: Path) -> Metadata:
    """Read the tables of a Pipfile; empty where there is none.

    Raises:
        UsageError: it is not TOML, or an entry cannot be understood.
    """
    table = tree.read_toml(root, "Pipfile")

    def part(label: str, group: str = "") -> Part:
        texts = poetry.requirements(table.get(label, {}), f"Pipfile [{label}]")
        section = Section(keeper="pipenv", group=group)
        return Part(
            path="Pipfile", kind="Pipfile", label=f"[{label}]", section=section, texts=texts
        )

    if not table:
        return Metadata()
    return Metadata(dependencies=(part("packages"),), groups={"dev": part("dev-packages", "dev")})
