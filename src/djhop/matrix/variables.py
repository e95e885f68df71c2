"""Which variables `pass-env` may not name."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Sequence

#: What no `pass_env` lets in: it would make a cell something else than it says. `set_env` may.
NEVER = (
    "PYTHON*",
    "UV_*",
    "PIP_*",
    "COVERAGE_*",
    "COV_*",
    "PYTEST_*",
    "DJANGO_SETTINGS_MODULE",
    "VIRTUAL_ENV",
    "DJHOP_*",
)


def wrong(pass_env: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Yield (key, what is wrong with it or "", hint); a glob that matches more is no mistake."""
    for index, name in enumerate(pass_env):
        never = any(fnmatch.fnmatchcase(name, glob) for glob in NEVER)
        settings = name == "DJANGO_SETTINGS_MODULE"
        hint = 'settings = "shop.settings.test"' if settings else "set-env may set it"
        yield f"pass-env[{index}]", f"{name} is never passed to a cell" if never else "", hint
