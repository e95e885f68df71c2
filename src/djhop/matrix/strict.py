"""TOML → frozen structs, strictly: an error names the file, the key and what was meant."""

from __future__ import annotations

import math
import re
import tomllib
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin

import msgspec
import msgspec.inspect
import msgspec.structs

from djhop.errors import UsageError, did_you_mean

T = TypeVar("T")

#: How tomllib says where: "Invalid value (at line 3, column 5)".
_AT = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")

#: What msgspec calls things → what TOML calls them.
_WORDS = {
    "`str`": "a text",
    "`array`": "a list",
    "`str | array`": "a text or a list",
    "`object`": "a table",
    "`int`": "an integer",
    "`float`": "a number",
    "`bool`": "true or false",
    "`date`": "a date",
    "`datetime`": "a date",
    "`time`": "a time",
    "Invalid enum value": "unknown value",
    "Object missing required field": "lacks the key",
}


def read_toml(path: Path) -> dict[str, Any]:
    """Return the tables of a TOML file.

    Raises:
        UsageError: it cannot be read, or is not TOML; the message has file and line.
    """
    try:
        text = path.read_bytes().decode("utf-8")
        return tomllib.loads(text)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is not UTF-8, so it is not TOML ({error.reason})") from error
    except RecursionError as error:
        raise UsageError(f"{path}: is not TOML that can be read: nested too deeply") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(
            f"{path}:{_line(str(error), text)}: not TOML: {_AT.sub('', str(error))}",
            hint="texts, versions too, go in quotes; lists in [ ]",
        ) from error
    except ValueError as error:  # a number of too many digits
        raise UsageError(f"{path}: not TOML: {error}") from error


def _line(message: str, text: str) -> int:
    """Line of a syntax error; one found at the end of the document is on its last line."""
    found = _AT.search(message)
    return int(found[1]) if found and found[1] else len(text.splitlines()) or 1


def bad(where: str, key: str, message: str, hint: str = "") -> UsageError:
    """Make the error for one key of one table; `where` names the file, `key` is dotted."""
    return UsageError(f"{where}: {key}: {message}", hint=hint)


def convert(table: dict[str, Any], into: type[T], where: str, at: str = "") -> T:
    """Turn `table` into the struct `into`: every key known, every value of its type.

    `at` is the dotted key that the table itself stands at.

    Raises:
        UsageError: the first key that is unknown, missing or of a wrong type.
    """
    _known_keys(table, msgspec.inspect.type_info(into), where, at)
    try:
        return msgspec.convert(table, into)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$")
        own = path.rstrip("`").lstrip(".")
        key = ".".join(filter(None, (at, own))) or "(top)"
        raise bad(where, key, _in_words(message), _hint(message, own, into)) from error


def no_time(seconds: float) -> str:
    """Say why this is no time to wait; "" where it is one. JSON has no infinity to write down."""
    if seconds == math.inf:
        return "must be a finite number of seconds"
    return "" if seconds > 0 else "must be more than 0 seconds"


def _hint(message: str, key: str, into: type[Any]) -> str:
    """Say what to write instead: the choices of a key that has some, or quotes round a version."""
    for field in msgspec.structs.fields(into):
        if field.encode_name != key.partition("[")[0]:
            continue
        for kind in (field.type, *get_args(field.type)):
            if get_origin(kind) is Literal:
                return f"one of {', '.join(get_args(kind))}"
    return 'versions go in quotes, as in "3.10"' if "got `float`" in message else ""


def _in_words(message: str) -> str:
    """Put msgspec's message in TOML's own words."""
    message = message.replace(" | null`", "`")
    for name, word in _WORDS.items():
        message = message.replace(name, word)
    return message[0].lower() + message[1:]


def _known_keys(value: Any, kind: msgspec.inspect.Type, where: str, prefix: str) -> None:
    """Raise for the first key that no struct has, in `value` or in the tables inside it."""
    if isinstance(kind, msgspec.inspect.VarTupleType) and isinstance(value, list):
        for index, item in enumerate(value):
            _known_keys(item, kind.item_type, where, f"{prefix}[{index}]")
    if not isinstance(kind, msgspec.inspect.StructType) or not isinstance(value, dict):
        return
    fields = {field.encode_name: field.type for field in kind.fields}
    for key, item in value.items():
        dotted = f"{prefix}.{key}".lstrip(".")
        if key not in fields:
            hint = did_you_mean(key, fields) or f"known keys: {', '.join(sorted(fields))}"
            raise bad(where, dotted, "unknown key", hint)
        _known_keys(item, fields[key], where, dotted)
