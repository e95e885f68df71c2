"""What to type where a cell lacks something that no code can give it: a variable, a module."""

from __future__ import annotations

import re

from djhop.compare.causes import Cause
from djhop.reports.clean import one_line
from djhop.results.owners import NO_VARIABLE
from djhop.results.statuses import SERVE

_NAME = re.compile(r"'([A-Za-z_]\w*)'")
_MODULE = re.compile(r"No module named '?([\w.]+)'?|Error loading (\w+)")
_SERVICE = ("OperationalError", "ConnectionRefusedError", "ConnectionError", "gaierror")


def remedy(cause: Cause) -> str:
    """Say which key of djhop.toml helps; "" where it is not the environment's, or not known."""
    if cause.owner.kind != "environment":
        return ""
    name = cause.exception.rpartition(".")[2]
    if variable := _variable(name, cause.message):
        return f'djhop.toml: pass-env = ["{variable}"] if it is set here, or give it in [set-env]'
    if module := _MODULE.search(cause.message):
        top = (module[1] or module[2]).partition(".")[0]
        return f'djhop.toml: packages = ["…"] with the package that has the module {top}'
    return SERVE if name in _SERVICE else ""


def _variable(exception: str, message: str) -> str:
    """The variable that is not set; "" if it is not that."""
    found = _NAME.fullmatch(message) if exception == "KeyError" else NO_VARIABLE.search(message)
    return one_line(next(filter(None, found.groups()), ""), 60) if found else ""
