"""`data/settings.toml` against the releases of Django on PyPI themselves."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import djangos
import pytest

from djhop.releases import version_key
from djhop.steps import settings_data

TABLE = settings_data.load()
SERIES = djangos.SERIES
#: How Django's own code reads a setting that need not be in global_settings.py.
READ = re.compile(
    r"(?:\b(?:django_)?settings)\.([A-Z][A-Z0-9_]{3,})\b"
    r"|(?:getattr|hasattr)\(\s*settings,\s*[\"']([A-Z0-9_]+)[\"']"
)
#: What looks like a setting in comments, error messages and Django's own tests of itself.
NO_SETTINGS = {"SETTINGS_MODULE", "MIGRATION_MODULE", "_USE_L10N_INTERNAL", "NAME"}


def defaults(package: Path) -> dict[str, str]:
    """The settings of global_settings.py, with their defaults as source."""
    text = (package / "conf" / "global_settings.py").read_text("utf-8")
    return {
        node.targets[0].id: ast.unparse(node.value)
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id.isupper()
    }


def pairs(django: dict[str, Path]) -> Iterator[tuple[str, dict[str, str], dict[str, str]]]:
    for before, after in pairwise(SERIES):
        yield after, defaults(django[before]), defaults(django[after])


@pytest.mark.slow
def test_every_name_is_known_and_no_other(django: dict[str, Path]) -> None:
    known = {name for package in django.values() for name in defaults(package)}
    assert set(TABLE.names) == known
    read = {
        first or second
        for package in django.values()
        for file in package.rglob("*.py")
        for first, second in READ.findall(file.read_text("utf-8", errors="replace"))
    }
    assert set(TABLE.elsewhere) <= read
    assert read - known - set(TABLE.elsewhere) - NO_SETTINGS == set()


def test_every_removal_is_known(django: dict[str, Path]) -> None:
    removed = {name: series for series, was, now in pairs(django) for name in was.keys() - now}
    stated = {row.setting: row.removed for row in TABLE.removed}
    ours = {name: at for name, at in stated.items() if name not in TABLE.elsewhere}
    first, last = version_key(SERIES[0]), version_key(SERIES[-1])
    assert {name: at for name, at in ours.items() if first < version_key(at) <= last} == removed
    for row in TABLE.removed:
        if row.deprecated:
            assert version_key(row.deprecated) < version_key(row.removed), row
        if version_key(row.removed) <= first:
            assert row.setting not in TABLE.names


def test_every_changed_default_is_known(django: dict[str, Path]) -> None:
    """Of those that are one word; lists of formats, languages and classes are not followed."""

    def plain(source: str) -> bool:
        return isinstance(ast.parse(source, mode="eval").body, ast.Constant)

    changed = {
        (name, series): (was[name], now[name])
        for series, was, now in pairs(django)
        for name in was.keys() & now
        if was[name] != now[name] and plain(was[name]) and plain(now[name])
    }
    stated = {
        (row.setting, row.series): tuple(map(_as_source, (row.before, row.after)))
        for row in TABLE.changed
    }
    assert stated == changed


def _as_source(text: str) -> str:
    try:
        return ast.unparse(ast.parse(text, mode="eval").body) if text[0] in "0TFN" else repr(text)
    except SyntaxError:
        return repr(text)


@pytest.mark.parametrize("row", TABLE.path, ids=lambda row: row.path)
def test_every_path_is_there_until_it_is_removed(
    django: dict[str, Path], row: settings_data.Path
) -> None:
    there = [series for series, package in django.items() if _has(package, row.path)]
    assert there == [s for s in SERIES if s in there or _between(there[0], s, row.removed)]
    assert version_key(there[-1]) < version_key(row.removed)
    assert SERIES[SERIES.index(there[-1]) + 1] == row.removed
    assert version_key(there[0]) <= max(version_key(row.deprecated), version_key(SERIES[0]))


def _between(first: str, series: str, end: str) -> bool:
    return version_key(first) <= version_key(series) < version_key(end)


def _has(package: Path, path: str) -> bool:
    _, *parts = path.split(".")
    module = package.joinpath(*parts[:-1])
    if (module / parts[-1]).is_dir():
        return True
    for file in (module.with_suffix(".py"), module / "__init__.py"):
        if file.is_file() and re.search(rf"\b{parts[-1]}\b", file.read_text("utf-8")):
            return True
    return False


def test_keys_of_databases_are_those_that_django_reads(django: dict[str, Path]) -> None:
    """Each known key is named in Django's code, of some series, between quotes."""
    text = "".join(
        file.read_text("utf-8", errors="replace")
        for package in (django[SERIES[0]], django[SERIES[-1]])
        for folder in ("db", "test")
        for file in (package / folder).rglob("*.py")
    )
    for key in (*TABLE.database_keys, *TABLE.test_keys):
        assert re.search(rf"[\"']{key}[\"']", text), key
