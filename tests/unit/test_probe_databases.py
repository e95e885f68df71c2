"""The names that the probe gives to test databases."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import djhop

PROBE = Path(djhop.__file__).parent / "probe"
SUFFIX = r"_djhop_[0-9a-f]{8}"
#: What Django's module looks like, as far as names go; SQLite's class is of another module.
CREATION = """
class BaseDatabaseCreation:
    def __init__(self, connection):
        self.connection = connection

    def _get_test_db_name(self):
        return self.connection.test_name or "test_" + self.connection.name
"""

Names = Callable[..., Any]


@pytest.fixture
def databases(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(PROBE))
    module = importlib.import_module("djhop_probe_databases")
    monkeypatch.setattr(module.STATE, "config", configured(tmp_path))
    (tmp_path / "tree").mkdir()
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    yield module
    for name in [name for name in sys.modules if name.startswith(("djhop_probe", "django"))]:
        del sys.modules[name]


def configured(room: Path) -> dict[str, object]:
    return {"isolate": True, "root": str(room / "tree")}


def test_a_name_is_that_of_one_workspace(
    databases: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    name = databases.own_name("test_shop", "postgresql")
    assert name == databases.own_name("test_shop", "postgresql")
    assert name.startswith("test_shop_djhop_")
    assert len(name) == len("test_shop_djhop_") + 8
    # Of another cell, of another djhop at work on the same cell, and of another machine.
    for room in ("other", "tree-2"):
        config = {**configured(tmp_path), "root": str(tmp_path / room)}
        monkeypatch.setattr(databases.STATE, "config", config)
        assert databases.own_name("test_shop", "postgresql") != name
    monkeypatch.setattr(databases.STATE, "config", configured(tmp_path))
    monkeypatch.setattr(databases.platform, "node", lambda: "another machine")
    assert databases.own_name("test_shop", "postgresql") != name


@pytest.mark.parametrize("name", ["a" * 63, "a" * 48, "é" * 40])
def test_a_name_fits_with_what_a_parallel_worker_adds(databases: ModuleType, name: str) -> None:
    own = databases.own_name(name, "postgresql")
    assert len(f"{own}_16".encode()) <= 63
    # Two long names that begin alike stay two.
    assert own != databases.own_name(name + "b", "postgresql")


@pytest.mark.parametrize(
    "name", [":memory:", "file:memorydb_default?mode=memory&cache=shared", "inside.sqlite3", None]
)
def test_what_nobody_else_sees_keeps_its_name(
    databases: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str | None
) -> None:
    monkeypatch.chdir(tmp_path / "tree")
    assert databases.own_name(name, "sqlite") == name
    assert databases.own_name(tmp_path / "tree/a.db", "sqlite") == tmp_path / "tree/a.db"
    assert databases.own_name("system", "oracle") == "system"


def test_a_file_outside_of_the_workspace(databases: ModuleType, tmp_path: Path) -> None:
    own = databases.own_name(tmp_path / "tree-2/shop.sqlite3", "sqlite")
    assert isinstance(own, Path)
    assert own.parent == tmp_path / "tree-2"
    assert own.name.startswith("shop_djhop_")
    assert own.suffix == ".sqlite3"
    assert databases.own_name("/srv/shop.db", "sqlite").startswith("/srv/shop_djhop_")


@pytest.fixture
def django(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder on the path with a package that has Django's module of that name."""
    base = tmp_path / "site/django/db/backends/base"
    base.mkdir(parents=True)
    for folder in (base, *base.parents[:3]):
        (folder / "__init__.py").touch()
    (base / "creation.py").write_text(CREATION)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    return base


def connection(test_name: str = "", vendor: str = "postgresql") -> SimpleNamespace:
    return SimpleNamespace(name="shop", test_name=test_name, vendor=vendor)


@pytest.mark.parametrize("early", [True, False], ids=["before Django", "after Django"])
@pytest.mark.usefixtures("django")
def test_django_is_given_the_name(databases: ModuleType, early: bool) -> None:
    before = [*sys.meta_path]
    if early:
        databases.install()
    creation = importlib.import_module(databases.CREATION)
    if not early:
        databases.install()
    assert sys.meta_path == before
    assert "exec_module" not in vars(creation.__spec__.loader)
    made = creation.BaseDatabaseCreation(connection())
    assert made._get_test_db_name() == databases.own_name("test_shop", "postgresql")
    made = creation.BaseDatabaseCreation(connection("mine_gw0"))
    assert made._get_test_db_name() == databases.own_name("mine_gw0", "postgresql")


@pytest.mark.usefixtures("django")
def test_it_is_added_once_whichever_class_makes_the_name(databases: ModuleType) -> None:
    databases.install()
    base = importlib.import_module(databases.CREATION).BaseDatabaseCreation

    class Asks(base):  # type: ignore[misc]
        def _get_test_db_name(self) -> str:
            return f"{super()._get_test_db_name()}_more"

    class Inherits(Asks):
        pass

    def name(kind: type, **more: str) -> str:
        return str(kind(connection(**more))._get_test_db_name())

    for _ in range(2):  # the second time the class above is wrapped, too
        assert name(Inherits) == databases.own_name("test_shop_more", "postgresql")
        assert name(base) == databases.own_name("test_shop", "postgresql")
        assert name(Asks, vendor="sqlite", test_name="file:x") == "file:x_more"


@pytest.mark.usefixtures("django")
def test_names_stay_where_the_matrix_says_so(databases: ModuleType) -> None:
    databases.STATE.config["isolate"] = False
    databases.install()
    base = importlib.import_module(databases.CREATION).BaseDatabaseCreation
    assert base(connection())._get_test_db_name() == "test_shop"


def test_the_suffix_is_no_part_of_a_cause(databases: ModuleType) -> None:
    from djhop.compare import fingerprints

    name = databases.own_name("test_shop", "postgresql")
    text = 'database "{}" does not exist'
    assert fingerprints.template(text.format(name)) == text.format("test_shop")


def test_a_database_is_not_kept_for_a_next_time(databases: ModuleType) -> None:
    options = SimpleNamespace(reuse_db=True)
    databases.forget_reuse(options)
    assert options.reuse_db is False
    databases.forget_reuse(SimpleNamespace())  # without pytest-django
