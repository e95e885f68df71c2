"""A project's evaluated settings against what is known of Django's: findings."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from pathlib import Path

from djhop.releases import version_key
from djhop.results.steps import Finding
from djhop.steps import readers, settings_data
from djhop.steps.settings_data import Table, notes
from djhop.steps.wrote import Settings

#: How like a name of Django's another must be to be taken for a slip of the pen.
ALIKE = 0.85
_OWN_ENGINE = ("django.db.backends.", "django.contrib.gis.db.backends.")
_KEYS_OF = re.compile(r"(DATABASES\[.*?\])(\['TEST'\])?")


def judge(found: Settings, series: str, tree: Path, site_packages: Path) -> Iterator[Finding]:
    """Say which settings have no meaning in `series`, and which have another one by default.

    What no Django has ever known is said to do nothing only where no code of the project or of its
    packages, in `tree` and `site_packages`, reads it by its name.
    """
    table = settings_data.load()
    yield from _removed(found, series, table)
    yield from _paths(found, series, table)
    yield from _defaults(found, series, table)
    for likely, quoted in ((_unknown(found, table), False), (_keys(found, table), True)):
        names = {one.about.rpartition(".")[2] for one in likely}
        read = readers.read_names(names, tree, site_packages, quoted=quoted)
        yield from (one for one in likely if one.about.rpartition(".")[2] not in read)


def _is_over(row: settings_data.Removed | settings_data.Path, series: str) -> bool:
    return version_key(row.removed) <= version_key(series)


def _is_deprecated(row: settings_data.Removed | settings_data.Path, series: str) -> bool:
    return bool(row.deprecated) and version_key(row.deprecated) <= version_key(series)


def _removed(found: Settings, series: str, table: Table) -> Iterator[Finding]:
    for row in table.removed:
        if row.setting not in found.names:
            continue
        if _is_over(row, series):
            what, when = "removed", row.removed
            text = f"removed in {when}: it does nothing"
        elif _is_deprecated(row, series):
            what, when = "deprecated", row.deprecated
            text = f"deprecated since {when}, removed in {row.removed}"
        else:
            continue
        yield Finding(
            id=f"{what}-setting",
            about=row.setting,
            text=text,
            hint=(f"instead: {row.instead}; " if row.instead else "") + notes(when),
            place=found.places.get(row.setting, ""),
        )


def _paths(found: Settings, series: str, table: Table) -> Iterator[Finding]:
    for where, path in found.paths.items():
        for row in table.path:
            if path != row.path:
                continue
            place = found.places.get(re.split(r"[\[.]", where)[0], "")
            hint = f"instead: {row.instead}; {notes(row.removed)}"
            name = path.rpartition(".")[2]
            if _is_over(row, series):
                text = f"{name} was removed in {row.removed}: where it is used, it fails"
                yield Finding(id="removed-path", about=where, text=text, hint=hint, place=place)
            elif _is_deprecated(row, series):
                text = f"{name} is deprecated since {row.deprecated}, removed in {row.removed}"
                yield Finding(id="deprecated-path", about=where, text=text, hint=hint, place=place)


def _defaults(found: Settings, series: str, table: Table) -> Iterator[Finding]:
    gone = {row.setting for row in table.removed if _is_over(row, series)}
    for row in table.changed:
        late = version_key(row.series) > version_key(series)
        if late or row.setting in found.names or row.setting in gone:
            continue
        yield Finding(
            id="changed-default",
            about=row.setting,
            level="info",
            text=f"not set, and since {row.series} it is {row.after} ({row.before} before): "
            f"{row.means}",
            hint=notes(row.series),
        )


def _unknown(found: Settings, table: Table) -> list[Finding]:
    """Names that look like Django's and that no Django has known."""
    likely = []
    for name in found.names:
        if name in table.known:
            continue
        close = difflib.get_close_matches(name, table.known, n=1, cutoff=ALIKE)
        if close or name.startswith(table.families):
            one = Finding(
                id="unknown-setting",
                about=name,
                text="no Django has such a setting, and nothing here reads it by its name: it does "
                "nothing",
                hint=f"did you mean {close[0]}?" if close else "",
                place=found.places.get(name, ""),
            )
            likely.append(one)
    return likely


def _keys(found: Settings, table: Table) -> list[Finding]:
    """Keys of a database's entry that Django's own engines do not know."""
    likely = []
    for where, keys in found.keys.items():
        match = _KEYS_OF.fullmatch(where)
        if not match or not found.paths.get(f"{match[1]}['ENGINE']", "").startswith(_OWN_ENGINE):
            continue
        known = table.test_keys if match[2] else table.database_keys
        likely += [
            Finding(
                id="unknown-key",
                about=f"{where}.{key}",
                text="Django's own engines know no such key: it does nothing there",
                hint="what a driver is to be told belongs in OPTIONS",
                place=found.places.get("DATABASES", ""),
            )
            for key in keys
            if key not in known
        ]
    return likely
