"""How a target has set up pytest: its file, its addopts, its Django settings."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

import msgspec

from djhop.target import tree
from djhop.target.suite_commands import option

if TYPE_CHECKING:
    from pathlib import Path


class PytestConfig(msgspec.Struct, frozen=True, kw_only=True):
    """pytest's configuration in one directory; `path` is "" where there is none."""

    path: str = ""
    addopts: tuple[str, ...] = ()
    settings: str = ""
    #: Whether it says something that only pytest-django reads.
    django: bool = False
    #: Whether it names the files that hold tests otherwise than pytest does.
    own_names: bool = False
    #: How many lines of its `filterwarnings` ignore something.
    ignores: int = 0
    #: Plugins without which pytest would not start, or not understand it.
    plugins: tuple[str, ...] = ()


#: https://pytest-django.readthedocs.io/en/latest/configuring_django.html, in lower case.
_DJANGO_KEYS = frozenset(
    {
        "django_settings_module",
        "django_configuration",
        "django_find_project",
        "django_debug_mode",
        "fail_on_template_vars",
    }
)
_DJANGO_OPTIONS = (
    "--ds",
    "--dc",
    "--django-",
    "--reuse-db",
    "--create-db",
    "--nomigrations",
    "--no-migrations",
    "--fail-on-template-vars",
)
_PLUGIN_OPTIONS = {
    "--cov": "pytest-cov",
    "--no-cov": "pytest-cov",
    "-n": "pytest-xdist",
    "--numprocesses": "pytest-xdist",
    "--dist": "pytest-xdist",
    "--maxprocesses": "pytest-xdist",
    "--reruns": "pytest-rerunfailures",
    "--timeout": "pytest-timeout",
    "--html": "pytest-html",
    "--benchmark": "pytest-benchmark",
    "--disable-socket": "pytest-socket",
    "--allow-hosts": "pytest-socket",
    "--random-order": "pytest-random-order",
    "--snapshot": "syrupy",
    "--splits": "pytest-split",
    "--forked": "pytest-forked",
    "--asyncio-mode": "pytest-asyncio",
    "--spec": "pytest-spec",
    "--picked": "pytest-picked",
    "--randomly-seed": "pytest-randomly",
}
_PLUGIN_KEYS = {
    "asyncio_mode": "pytest-asyncio",
    "env": "pytest-env",
    "env_files": "pytest-dotenv",
    "timeout": "pytest-timeout",
}


def read(root: Path, folder: str = "") -> PytestConfig:
    """Read what pytest would read when it is started in `folder`, in pytest's own order.

    Raises:
        UsageError: one of the files has a syntax error.
    """
    prefix = f"{folder}/" if folder else ""
    for name, section in (("pytest.ini", "pytest"), (".pytest.ini", "pytest")):
        if tree.is_file(root / prefix / name):
            return _from_ini(root, prefix + name, section) or PytestConfig(path=prefix + name)
    tool = tree.read_toml(root, f"{prefix}pyproject.toml").get("tool", {})
    table = tool.get("pytest") if isinstance(tool, dict) else None
    if isinstance(table, dict):
        inner = table.get("ini_options", table)
        if isinstance(inner, dict):
            keys = {key.lower(): _text(value) for key, value in inner.items()}
            if isinstance(words := inner.get("addopts"), list):
                keys["addopts"] = shlex.join(map(str, words))
            return _from_keys(keys, f"{prefix}pyproject.toml")
    for name, section in (("tox.ini", "pytest"), ("setup.cfg", "tool:pytest")):
        if found := _from_ini(root, prefix + name, section):
            return found
    return PytestConfig()


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "\n".join(str(item) for item in value)
    return str(value)


def _from_ini(root: Path, name: str, section: str) -> PytestConfig | None:
    sections = tree.read_ini(tree.read_if_there(root, name), name)
    return _from_keys(sections[section], name) if section in sections else None


def _from_keys(keys: dict[str, str], path: str) -> PytestConfig:
    addopts = _words(keys.get("addopts", ""))
    settings = keys.get("django_settings_module", "").strip()
    django_option = any(word.startswith(_DJANGO_OPTIONS) for word in addopts)
    return PytestConfig(
        path=path,
        addopts=addopts,
        settings=option(addopts, "--ds") or settings,
        django=bool(_DJANGO_KEYS & keys.keys()) or django_option,
        own_names="python_files" in keys,
        ignores=sum(
            line.strip().startswith(("ignore", "once", "module"))
            for line in keys.get("filterwarnings", "").splitlines()
        ),
        plugins=_plugins(addopts, keys),
    )


def _words(text: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text, comments=True))
    except ValueError:
        return tuple(text.split())


def _plugins(addopts: tuple[str, ...], keys: dict[str, str]) -> tuple[str, ...]:
    found = [_PLUGIN_KEYS[key] for key in keys if key in _PLUGIN_KEYS]
    for word in addopts:
        for start, plugin in _PLUGIN_OPTIONS.items():
            short = re.fullmatch(r"-n(\d+|auto|logical)?", word) if start == "-n" else None
            if short or (start != "-n" and re.match(rf"{start}(?![a-z])", word)):
                found.append(plugin)
    return tuple(dict.fromkeys(found))
