"""Whose it is: on stacks recorded from real runs (Django 3.2 to 5.2, Python 3.8 to 3.12)."""

import json
from pathlib import Path
from typing import Any

import pytest

from djhop.results import owners
from djhop.results.eventlog import Exc, Warned
from djhop.results.paths import DJANGO, ENVIRONMENT, PROJECT, PYTHON, Owner, Paths

ROWS = json.loads((Path(__file__).parent / "warning_stacks.json").read_text())
PACKAGES = {
    "alpha": ["alpha/__init__.py", "alpha/deep.py", "alpha/moved.py"],
    "beta": ["beta/__init__.py", "beta/use.py", "beta/lib.py", "beta/models.py"],
    "Django": ["django/__init__.py"],
    "python_dateutil": ["dateutil/__init__.py", "dateutil/tz/tz.py"],
    "pytest": ["pytest/__init__.py", "_pytest/python.py"],
    "pytest_django": ["pytest_django/plugin.py"],
    "asgiref": ["asgiref/sync.py"],
}


@pytest.fixture
def places(tmp_path: Path) -> dict[str, str]:
    site = tmp_path / "env" / "site-packages"
    for name, files in PACKAGES.items():
        info = site / f"{name}-1.0.dist-info"
        info.mkdir(parents=True)
        record = [f"{file},sha256=x,1" for file in files]
        (info / "RECORD").write_text("\n".join([*record, "../../bin/x,,", ""]))
    root, lib = tmp_path / "tree", tmp_path / "lib" / "python3.12"
    root.mkdir()
    lib.mkdir(parents=True)
    return {"root": str(root), "site": str(site), "lib": str(lib)}


@pytest.fixture
def paths(places: dict[str, str]) -> Paths:
    return Paths(root=places["root"], site_packages=(places["site"],), stdlib=(places["lib"],))


def told(owner: Owner) -> str:
    return f"{owner.kind}:{owner.name}".rstrip(":")


def filled(text: str, places: dict[str, str]) -> str:
    for name, value in places.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def warned(row: dict[str, Any], places: dict[str, str]) -> Warned:
    stack = tuple((filled(f, places), line, name) for f, line, name in row["stack"])
    return Warned(
        category=row["category"],
        category_module=row["module"],
        message=row["message"],
        file=filled(row["file"], places),
        line=row["line"],
        stack=stack,
    )


def write_line(file: str, line: int, source: str) -> None:
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    Path(file).write_text("\n" * (line - 1) + source + "\n")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['env']}-{row['message'][:30]}")
def test_whose_use_is_deprecated(row: dict[str, Any], paths: Paths, places: dict[str, str]) -> None:
    event = warned(row, places)
    write_line(event.stack[-1][0], event.stack[-1][1], row["source"])
    assert told(owners.of_warning(event, paths).owner) == row["owner"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['env']}-{row['message'][:30]}")
def test_what_strict_raised_has_the_owner_of_the_warning(
    row: dict[str, Any], paths: Paths, places: dict[str, str]
) -> None:
    """The same stack as a traceback: the probe has the source line there."""
    event = warned(row, places)
    frames = [(*frame, "") for frame in event.stack]
    frames[-1] = (*event.stack[-1], row["source"])
    kind = row["category"] if row["module"] == "builtins" else f"{row['module']}.{row['category']}"
    mro = (kind, "DeprecationWarning", "Warning", "Exception", "BaseException")
    exc = Exc(type=kind, name=row["category"], mro=mro, message=event.message, frames=tuple(frames))
    wrapped = Exc(type="ImportError", name="ImportError", mro=("ImportError",), cause=exc)
    assert told(owners.of_failure(exc, paths).owner) == row["owner"]
    assert told(owners.failure(wrapped, "call", paths).owner) == row["owner"]
    assert owners.failure(wrapped, "call", paths).warning == row["category"]


def test_the_user_in_the_stack_beats_the_place_that_stacklevel_names(
    paths: Paths, places: dict[str, str]
) -> None:
    far = next(row for row in ROWS if row["owner"] == "package:beta" and "far" in row["message"])
    event = warned(far, places)
    assert paths.owner_of_file(event.file) == PROJECT
    verdict = owners.of_warning(event, paths)
    assert verdict.owner == Owner("package", "beta")
    assert verdict.frame is not None
    assert paths.shorten(verdict.frame[0]) == "beta/use.py"


@pytest.mark.parametrize(
    ("file", "module", "expected"),
    [
        ("{root}/a.py", "builtins", "project"),
        ("{site}/alpha/x.py", "builtins", "package:alpha"),
        ("{site}/django/conf/__init__.py", "django.utils.deprecation", "project"),
        ("{site}/django/http/request.py", "builtins", "django"),
        ("{lib}/ast.py", "builtins", "python"),
    ],
)
def test_without_a_stack_the_file_decides(
    file: str, module: str, expected: str, paths: Paths, places: dict[str, str]
) -> None:
    event = Warned(category="DeprecationWarning", category_module=module, file=filled(file, places))
    assert told(owners.of_warning(event, paths).owner) == expected


def test_an_invalid_escape_belongs_to_the_file_that_was_compiled(
    paths: Paths, places: dict[str, str]
) -> None:
    event = Warned(
        category="DeprecationWarning",
        message=r"invalid escape sequence '\d'",
        file=filled("{site}/alpha/x.py", places),
        when="compile",
        stack=((filled("{root}/a.py", places), 1, "<module>"),),
    )
    assert owners.of_warning(event, paths).owner == Owner("package", "alpha")


@pytest.mark.parametrize(
    ("emitter", "caller", "expected"),
    [
        # Django calls its own requirement's deprecated API; a project's code calls a package's.
        ("asgiref/sync.py", "django/core/handlers/base.py", "django"),
        ("alpha/views.py", "django/core/handlers/base.py", "project"),
    ],
)
def test_django_between_a_package_and_the_project(
    emitter: str, caller: str, expected: str, paths: Paths, places: dict[str, str]
) -> None:
    stack = (
        (f"{places['root']}/tests.py", 3, "test_view"),
        (f"{places['site']}/{caller}", 9, "get_response"),
        (f"{places['site']}/{emitter}", 5, "dispatch"),
    )
    write_line(stack[-1][0], 5, "warnings.warn('old', DeprecationWarning)")
    event = Warned(
        category="DeprecationWarning", category_module="builtins", stack=stack,
        file=stack[-1][0], line=5,
    )  # fmt: skip
    assert told(owners.of_warning(event, paths).owner) == expected


def failing(kind: str, message: str, *files: str, cause: Exc | None = None) -> Exc:
    frames = tuple((file, 7, "f", "") for file in files)
    mro = {
        "ModuleNotFoundError": ("ModuleNotFoundError", "ImportError", "Exception"),
        "ConnectionRefusedError": ("ConnectionRefusedError", "OSError", "Exception"),
        "AssertionError": ("AssertionError", "Exception"),
    }.get(kind, (kind, "Exception"))
    name = kind.rpartition(".")[2]
    return Exc(type=kind, name=name, mro=mro, message=message, frames=frames, cause=cause)


T, A, D, P, L = (
    "{root}/tests/test_a.py",
    "{site}/alpha/__init__.py",
    "{site}/django/urls/conf.py",
    "{site}/_pytest/python.py",
    "{lib}/unittest/case.py",
)
OPERATIONAL = "django.db.utils.OperationalError"


@pytest.mark.parametrize(
    ("kind", "message", "files", "expected"),
    [
        ("TypeError", "view must be callable", (P, T, D), "project"),
        ("TypeError", "unexpected keyword", (P, T, D, A, D), "package:alpha"),
        ("AssertionError", "1 != 2", (P, T, L), "project"),
        ("AssertionError", "compare", (P, T, A), "project"),
        ("AssertionError", "in a package alone", (D, A), "package:alpha"),
        ("ImproperlyConfigured", "no SECRET_KEY", (L, D), "project"),
        ("Failed", "Unexpected success", (P,), "project"),
        ("ModuleNotFoundError", "No module named 'nowhere'", (T,), "environment"),
        ("ModuleNotFoundError", "No module named 'nowhere.sub'", (A,), "environment"),
        ("ModuleNotFoundError", "No module named 'django.utils.six'", (T, A), "package:alpha"),
        ("ModuleNotFoundError", "No module named 'alpha.gone'", (T,), "project"),
        ("ModuleNotFoundError", "No module named 'distutils'", (T, D), "project"),
        ("ImportError", "cannot import name 'ugettext' from 'django'", (T, A), "package:alpha"),
        (OPERATIONAL, "could not connect to server: refused", (T, D), "environment"),
        (OPERATIONAL, "database or disk is full", (T, D), "environment"),
        (OPERATIONAL, "no such table: app_m", (T, D), "project"),
        ("ConnectionRefusedError", "[Errno 111]", (T, L), "environment"),
        ("KeyError", "'DATABASE_URL'", (T, "{lib}/os.py"), "environment"),
        ("KeyError", "'DATABASE_URL'", (T, "<frozen os>"), "environment"),
        ("KeyError", "'x'", (T,), "project"),
        ("environ.ImproperlyConfigured", "Set the A environment variable", (T,), "environment"),
        ("decouple.UndefinedValueError", "A not found. Declare it as envvar", (T,), "environment"),
        ("environs.EnvError", 'Environment variable "A" not set', (T,), "environment"),
        ("LookupError", 'Environment variable "A" not set', (T,), "project"),
    ],
)  # fmt: skip
def test_whose_code_fails(
    kind: str,
    message: str,
    files: tuple[str, ...],
    expected: str,
    paths: Paths,
    places: dict[str, str],
) -> None:
    exc = failing(kind, message, *(filled(file, places) for file in files))
    verdict = owners.of_failure(exc, paths)
    assert told(verdict.owner) == expected
    assert verdict.why


def test_a_module_of_the_project_is_not_missing_from_the_environment(
    paths: Paths, places: dict[str, str]
) -> None:
    Path(places["root"], "myapp").mkdir()
    exc = failing("ModuleNotFoundError", "No module named 'myapp.gone'", f"{places['root']}/t.py")
    assert owners.of_failure(exc, paths).owner == PROJECT


def test_a_wrapper_of_djangos_gives_way_to_what_it_wraps(
    paths: Paths, places: dict[str, str]
) -> None:
    root = failing("ImportError", "cannot import name", *(filled(f, places) for f in (D, A)))
    exc = failing(
        "TemplateSyntaxError", "wrapped", *(filled(f, places) for f in (T, D)), cause=root
    )
    failure = owners.failure(exc, "call", paths)
    assert failure.owner == Owner("package", "alpha")
    assert failure.exception == "TemplateSyntaxError"
    assert failure.raised_at == "alpha/__init__.py:7"
    assert failure.place == "tests/test_a.py:7"
    assert [frame[0] for frame in failure.frames] == [
        "tests/test_a.py",
        "django/urls/conf.py",
        "alpha/__init__.py",
    ]


def test_what_the_project_raises_speaks_for_itself(paths: Paths, places: dict[str, str]) -> None:
    handled = failing("KeyError", "'x'", filled(A, places))
    exc = failing("ValueError", "bad", filled(T, places), cause=handled)
    assert owners.failure(exc, "call", paths).owner == PROJECT


def test_files_are_shortened_and_owned(paths: Paths, places: dict[str, str]) -> None:
    site, root, lib = places["site"], places["root"], places["lib"]
    expected = {
        f"{root}/app/models.py": ("app/models.py", PROJECT),
        f"{site}/django/conf/__init__.py": ("django/conf/__init__.py", DJANGO),
        f"{site}/dateutil/tz/tz.py": ("dateutil/tz/tz.py", Owner("package", "python-dateutil")),
        f"{site}/unrecorded/x.py": ("unrecorded/x.py", Owner("package", "unrecorded")),
        f"{lib}/ast.py": ("ast.py", PYTHON),
        "/opt/py/lib/python3.13t/ast.py": ("ast.py", PYTHON),
        "<string>": ("<string>", None),
        "/srv/shared/lib.py": ("/srv/shared/lib.py", Owner("package", "shared")),
    }
    found = {file: (paths.shorten(file), paths.owner_of_file(file)) for file in expected}
    assert found == expected


def test_a_shared_namespace_is_told_apart_by_the_file(tmp_path: Path) -> None:
    for name, file in (("ns-one", "ns/one.py"), ("ns-two", "ns/two.py")):
        info = tmp_path / f"{name.replace('-', '_')}-1.dist-info"
        info.mkdir()
        (info / "RECORD").write_text(f'"{file}",sha256=x,1\n')
    paths = Paths(root=tmp_path / "tree", site_packages=(tmp_path,))
    assert paths.owner_of_file(str(tmp_path / "ns/two.py")) == Owner("package", "ns-two")
    assert paths.owner_of_file(str(tmp_path / "ns/one.py")) == Owner("package", "ns-one")


def test_an_environment_inside_the_tree_is_not_the_project(tmp_path: Path) -> None:
    site = tmp_path / ".venv/lib/python3.12/site-packages"
    paths = Paths(root=tmp_path, site_packages=(site,), hidden=(tmp_path / "probe",))
    assert paths.owner_of_file(str(site / "x/__init__.py")) == Owner("package", "x")
    assert paths.owner_of_file(str(tmp_path / "probe/djhop_probe.py")) is None


def test_the_tables_know_no_owner_twice() -> None:
    assert not owners.KNOWN.harness & owners.KNOWN.django_uses
    assert ENVIRONMENT.kind == "environment"
