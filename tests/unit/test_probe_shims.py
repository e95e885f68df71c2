"""What the probe puts back, and what it leaves out of the settings, in modules made for it."""

from __future__ import annotations

import importlib
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import djhop

PROBE = Path(djhop.__file__).parent / "probe"
Put = Callable[..., None]


@pytest.fixture
def put(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Put]:
    """Install the probe's shims for a configuration; modules come from a folder of their own."""
    monkeypatch.syspath_prepend(str(PROBE))
    monkeypatch.syspath_prepend(str(tmp_path))
    known, finders = set(sys.modules), list(sys.meta_path)

    def go(**taken: Any) -> None:
        state = importlib.import_module("djhop_probe_state").STATE
        state.config = {"taken": taken}
        importlib.import_module("djhop_probe_shims").install()

    yield go
    sys.meta_path[:] = finders
    for name in set(sys.modules) - known:
        del sys.modules[name]


def module(folder: Path, name: str, text: str) -> None:
    path = folder.joinpath(*name.split(".")).with_suffix(".py")
    for above in reversed(path.relative_to(folder).parents[:-1]):
        (folder / above).mkdir(exist_ok=True)
        (folder / above / "__init__.py").touch()
    path.write_text(text)


def load(name: str) -> types.ModuleType:
    return importlib.import_module(name)


def test_a_name_is_lent_when_it_is_asked_for_and_no_other(put: Put, tmp_path: Path) -> None:
    module(tmp_path, "k5old", "kept = 1\n")
    module(tmp_path, "k5new", "there = 2\n")
    put(shims=[{"kind": "name", "paths": ["k5old.gone", "k5old.kept"], "alias": "k5new.there"}])
    old = load("k5old")
    assert "k5new" not in sys.modules
    assert (old.gone, old.kept) == (2, 1)
    with pytest.raises(AttributeError, match="module 'k5old' has no attribute 'never'"):
        _ = old.never


def test_a_module_stands_for_one_that_nobody_finds(put: Put, tmp_path: Path) -> None:
    module(tmp_path, "k5new", "there = 2\n")
    module(tmp_path, "k5here", "there = 1\n")
    put(shims=[{"kind": "module", "paths": ["k5gone", "k5here"], "alias": "k5new"}])
    assert (load("k5gone").there, load("k5here").there) == (2, 1)
    assert load("k5gone") is not load("k5new")


def test_attributes_and_arguments_of_functions_classes_and_methods(
    put: Put, tmp_path: Path
) -> None:
    module(
        tmp_path,
        "k5old",
        "class Case:\n"
        "    def __init__(self, a=0):\n        self.a = a\n"
        "    def equal(self, b):\n        return self.a == b\n"
        "def call(a):\n    return a\n",
    )
    put(
        shims=[
            {"kind": "attribute", "paths": ["k5old.Case.equals"], "alias": "k5old.Case.equal"},
            {"kind": "argument", "paths": ["k5old.Case"], "argument": "old"},
            {"kind": "argument", "paths": ["k5old.Case.equal"], "argument": "old"},
            {"kind": "argument", "paths": ["k5old.call"], "argument": "old"},
        ]
    )
    old = load("k5old")
    assert old.Case(a=1, old=2).equals(1)
    assert old.Case(1).equal(1, old=3)
    assert old.call(4, old=5) == 4
    with pytest.raises(TypeError):
        old.call(4, other=5)


SETTINGS = """
class LazySettings:
    _wrapped = None
    def _setup(self, name=None):
        self._wrapped = Read()
    def configure(self, **options):
        self._wrapped = Read()
    @property
    def configured(self):
        return self._wrapped is not None
class Read:
    INSTALLED_APPS = ["shop", "shop.sub", "old.apps.OldConfig", "other.Config"]
    MIGRATION_MODULES = {"kept": "x"}
    SET = 1
settings = LazySettings()
"""


@pytest.mark.parametrize("how", ["_setup", "configure"])
def test_settings_are_put_back_and_apps_left_out_once_they_are_read(
    put: Put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "django"]:
        monkeypatch.delitem(sys.modules, name)
    module(tmp_path, "django.conf", SETTINGS)
    put(
        shims=[{"kind": "setting", "paths": ["GONE", "SET"], "default": 7}],
        apps=["shop.sub.models", "old.models", "nowhere.models"],
        migrations=["shop"],
    )
    settings = load("django.conf").settings
    getattr(settings, how)()
    read = settings._wrapped
    assert (read.GONE, read.SET) == (7, 1)
    assert read.INSTALLED_APPS == ["shop", "other.Config"]
    assert read.MIGRATION_MODULES == {"kept": "x", "shop": None}


def test_nothing_is_done_where_nothing_is_asked_for(put: Put) -> None:
    before = list(sys.meta_path)
    put()
    assert sys.meta_path == before
