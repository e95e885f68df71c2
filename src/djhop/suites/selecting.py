"""How one test of a suite, or the module it is in, is chosen on a command line; pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import PurePath

import msgspec

from djhop.suites.suites import chosen
from djhop.target.target import Suite

#: Stands for any test where words that name tests are left out.
ANY = ("tests.test_any",)


def unable(suite: Suite) -> str:
    """Say why no single test of a suite can be chosen; "" where that can be tried."""
    if suite.kind == "command":
        return "which tests the suite's command would take is not known"
    return ""


def without_tests(suite: Suite, args: Sequence[str]) -> tuple[Suite, tuple[str, ...]]:
    """Return the suite, and what follows `--`, without the tests that they name themselves."""
    bare = msgspec.structs.replace(suite, argv=chosen(suite.argv, ANY))
    return bare, chosen(args, ANY)


def module_of(test: str) -> str:
    """Return what the module of a test is called on a command line; "" where that is not known.

    "tests/test_a.py" of "tests/test_a.py::Kind::test_x", "tests.a" of "tests.a.Kind.test_x".
    """
    if "::" in test:
        return test.partition("::")[0]
    parts = test.split(".")
    return ".".join(parts[:-2]) if len(parts) > 2 else ""


def is_in(test: str, module: str) -> bool:
    """Whether a test is one of a module's."""
    return test.startswith((f"{module}::", f"{module}."))


def placed(word: str, tree: str, folder: str, is_file: Callable[[PurePath], bool]) -> str:
    """Make the path of a test relative to where the suite runs, where it is not that already.

    pytest's ids are relative to the folder of its configuration, which can be another.
    """
    path, sign, rest = word.partition("::")
    here, above = PurePath(tree, folder, path), PurePath(tree, path)
    if not path.endswith(".py") or is_file(here) or not is_file(above):
        return word
    return f"{above}{sign}{rest}"
