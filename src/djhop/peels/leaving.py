"""A cause → what can be left out of a suite, so that the rest of it loads; pure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

import msgspec

from djhop.peels.layers import Sight
from djhop.results.results import Failure
from djhop.suites.taken import Taken

#: What is written in place of a file that is left out.
EMPTY = "# Left out by djhop peel.\n"
NO_PATTERNS = f"{EMPTY}urlpatterns = []\n"
#: Who loads what cannot be loaded: the frames of Django below which it is.
_APPS, _URLS = "django/apps/", "django/urls/"
_MIGRATIONS = ("django/db/migrations/", "django/core/management/commands/migrate.py")
#: Frames that say nothing about who is loaded.
_BETWEEN = ("django/", "importlib/", "<frozen ")


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """What a target consists of."""

    #: Relative to its root.
    files: frozenset[str]
    import_roots: tuple[str, ...] = (".",)


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """Something that can be left out."""

    what: str
    #: Files that are emptied.
    files: tuple[str, ...] = ()
    taken: Taken = Taken()


def of(sight: Sight, site: Site) -> Iterator[Left]:
    """Yield what can be left out so that a cause does not show: test files, an app, a module.

    Only what keeps others from running is left out: a test that fails stays.
    """
    names = {dotted(path, site): path for path in site.files if path.endswith(".py")}
    for files in filter(None, [_test_files(sight, site, names)]):
        noun = "test file" if len(files) == 1 else "test files"
        yield Left(what=f"the {noun} {', '.join(files)}", files=files)
    if sight.deadly:
        yield from _loaders(sight.failures[0], site)


def _test_files(sight: Sight, site: Site, names: dict[str, str]) -> tuple[str, ...]:
    """The files of modules that cannot be loaded; a class in one is none."""
    found = (names.get(one, one) for one in sight.seen.modules)
    return tuple(dict.fromkeys(path for path in found if path in site.files))


def _loaders(failure: Failure, site: Site) -> Iterator[Left]:
    """What was being loaded when nothing could run, the innermost first."""
    frames = [frame[0] for frame in failure.frames]
    for at in range(len(frames) - 1, -1, -1):
        file = frames[at]
        loaded = next((one for one in frames[at + 1 :] if not one.startswith(_BETWEEN)), "")
        if file in site.files and PurePosixPath(file).name == "conftest.py":
            yield Left(what=f"the file {file}", files=(file,))
        elif file.startswith(_APPS) and loaded:
            module = dotted(loaded, site)
            yield Left(what=f"the app of {module}", taken=Taken(apps=(module,)))
        elif file.startswith(_URLS) and loaded in site.files:
            yield Left(what=f"the URLconf {loaded}", files=(loaded,))
        elif file.startswith(_MIGRATIONS) and "/migrations/" in loaded:
            package = dotted(loaded, site).partition(".migrations.")[0]
            label = package.rpartition(".")[2]
            yield Left(what=f"the migrations of {package}", taken=Taken(migrations=(label,)))


def content(way: str) -> str:
    """What is written in place of a file."""
    return NO_PATTERNS if way.startswith("the URLconf") else EMPTY


def dotted(path: str, site: Site) -> str:
    """Return the name that a file is imported by: "src/shop/models.py" is shop.models."""
    if path in site.files:
        roots = [root.strip("./") for root in site.import_roots]
        for root in sorted(filter(None, roots), key=len, reverse=True):
            if path.startswith(f"{root}/"):
                path = path[len(root) + 1 :]
                break
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
