"""`data/removals.toml` against the releases of Django, of Python, setuptools and django-upgrade."""

from __future__ import annotations

import ast
import json
import subprocess
from collections import defaultdict
from pathlib import Path

import djangos
import pytest

from djhop.interpreters.interpreters import Interpreter
from djhop.knowledge.explain import of_warning
from djhop.knowledge.table import Removal, load
from djhop.releases import version_key

pytestmark = pytest.mark.slow

SERIES = djangos.SERIES
ROWS = load()
DJANGO = [row for row in ROWS if row.axis == "django"]
PATHS = [row for row in DJANGO if row.kind in ("name", "module", "attribute", "argument")]
#: Modules that a Python can be built without.
NOT_EVERYWHERE = {"audioop", "crypt", "nis", "ossaudiodev", "spwd"}
#: Asked of each Python: [kind, symbol] → whether it has it.
ASK = """
import importlib, json, sys, warnings
warnings.simplefilter("ignore")
def has(kind, symbol):
    parts = symbol.split(".")
    for n in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:n]))
        except ImportError:
            continue
        for part in parts[n:]:
            if not hasattr(found, part):
                return False
            found = getattr(found, part)
        return kind != "module" or n == len(parts)
    return False
rows = json.loads(sys.stdin.read())
print(json.dumps([has(kind, symbol) for kind, symbol in rows]))
"""


def has(root: Path, row: Removal, path: str) -> bool:
    if row.kind == "argument":
        there = djangos.find(root, path) is not None
        return there and row.argument in djangos.arguments(root, path)
    return djangos.find(root, path) is not None


@pytest.mark.parametrize("row", PATHS, ids=lambda row: row.id)
def test_it_is_there_until_it_is_removed(django: dict[str, Path], row: Removal) -> None:
    roots = {series: folder.parent for series, folder in django.items()}
    after = row.removed if row.removed in SERIES else SERIES[-1]
    before = SERIES[SERIES.index(after) - 1]
    if row.kind == "argument" and row.deprecated in SERIES[1:]:
        # What is deprecated may be taken from **kwargs, where no signature shows it.
        before = SERIES[SERIES.index(row.deprecated) - 1]
    for path in row.paths:
        assert has(roots[before], row, path), f"{path} is not in {before}"
        assert has(roots[after], row, path) == (row.removed not in SERIES), f"{path} in {after}"
    if row.use.startswith("django."):
        assert djangos.find(roots[after], row.use) is not None, f"no {row.use} in {after}"
    if row.deprecated:
        assert version_key(row.deprecated) < version_key(row.removed)


@pytest.mark.parametrize(
    "row", [row for row in DJANGO if row.kind in ("tag", "filter", "library")], ids=lambda r: r.id
)
def test_parts_of_templates_are_there_until_they_are_removed(
    django: dict[str, Path], row: Removal
) -> None:
    before = SERIES[SERIES.index(row.removed) - 1]
    assert (_in_templates(django[before], row), _in_templates(django[row.removed], row)) == (
        True,
        False,
    )


def _in_templates(package: Path, row: Removal) -> bool:
    if row.kind == "library":
        return any(package.rglob(f"templatetags/{row.symbol}.py"))
    file = "defaulttags.py" if row.kind == "tag" else "defaultfilters.py"
    names = (
        djangos.bound(node)
        for node in ast.walk(djangos.parsed(package / "template" / file))
        if isinstance(node, ast.FunctionDef)
    )
    return any(row.symbol in one for one in names)


def test_what_django_says_of_its_own_deprecations_is_known(django: dict[str, Path]) -> None:
    """Every row whose words a warning has is named by one; what is not known is few."""
    said = {pair for package in django.values() for pair in warned(package)}
    known = {pair: found for pair in said if (found := of_warning(*pair)) is not None}
    named = {found.id for found in known.values()}
    wanted = {row.id for row in DJANGO if row.warns and row.kind == "behaviour"}
    assert wanted - named == set()
    for (category, message), found in known.items():
        assert found.removed, (category, message)
    late = [pair for pair in said - set(known) if not pair[0].startswith("RemovedInDjango2")]
    assert len(late) <= 12, sorted(late)


def warned(package: Path) -> set[tuple[str, str]]:
    """(class, message) of the calls in a Django that name one of its classes of warnings."""
    return {
        (category, message)
        for file in package.rglob("*.py")
        if "RemovedIn" in file.read_text("utf-8")
        for category, message in _calls(djangos.parsed(file))
    }


def _calls(tree: ast.Module) -> set[tuple[str, str]]:
    named: defaultdict[str, list[str]] = defaultdict(list)
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            named[node.targets[0].id].append(_text(node.value))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    found = set()
    for call in calls:
        values = [*call.args, *(keyword.value for keyword in call.keywords)]
        names = [one.id for one in values if isinstance(one, ast.Name)]
        texts = [*map(_text, values), *(text for name in names for text in named[name])]
        categories = [name for name in names if name.startswith("RemovedIn")]
        found |= {(categories[0], text) for text in texts if categories and " " in text}
    return found


def _text(node: ast.expr) -> str:
    """A literal text; what is put into it stays as "%s"."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=values):
            return "".join(_text(one) or "%s" for one in values)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _text(left) + _text(right)
        case ast.BinOp(left=left, op=ast.Mod()):
            return _text(left)
        case ast.Call(func=ast.Attribute(value=value, attr="format")):
            return _text(value)
    return ""


def test_python_has_it_until_it_is_removed(found: dict[str, Interpreter]) -> None:
    """As far as Pythons are here, each is asked for everything in one go."""
    rows = [row for row in ROWS if row.axis == "python" and row.kind != "behaviour"]
    asked = {python: _ask(found[python], rows) for python in sorted(found, key=version_key)}
    wrong = [
        f"{row.id}: {there} in Python {python}"
        for row in rows
        for python, answers in asked.items()
        if version_key(python) >= (3, 6)
        for there in [answers[row.id]]
        if there != (not row.removed or version_key(python) < version_key(row.removed))
        and (there or row.symbol not in NOT_EVERYWHERE)
    ]
    assert wrong == []


def _ask(interpreter: Interpreter, rows: list[Removal]) -> dict[str, bool]:
    question = json.dumps([[row.kind, row.symbol] for row in rows])
    command = [str(interpreter.path), "-I", "-c", ASK]
    done = subprocess.run(command, input=question, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(zip([row.id for row in rows], json.loads(done.stdout), strict=True))


def test_setuptools_has_no_pkg_resources_since_82(shared: Path) -> None:
    (row,) = (row for row in ROWS if row.axis == "package")
    for version, there in ((81, True), (int(row.removed), False)):
        djangos.pip(shared / f"setuptools-{version}", f"setuptools=={version}.*")
        assert (shared / f"setuptools-{version}" / row.symbol).is_dir() == there


def test_fixers_are_those_of_django_upgrade(shared: Path) -> None:
    folder = shared / "django-upgrade"
    djangos.pip(folder, "--python-version", "3.12", "django-upgrade==1.33.0")
    for row in ROWS:
        if row.fixer:
            text = (folder / "django_upgrade" / "fixers" / f"{row.fixer}.py").read_text("utf-8")
            word = row.argument or row.name
            assert row.kind == "behaviour" or word in text, f"{row.fixer} does not name {word}"
