"""The published JSON Schemas, generated from the types; `docs/schema/` holds them."""

from __future__ import annotations

from typing import Any

import msgspec

from djhop.fixes.proof import Fix
from djhop.peels.layers import Peel
from djhop.results.reruns import Reruns
from djhop.results.results import CellResult
from djhop.results.steps import Crossing
from djhop.store.blame import Blame
from djhop.store.record import Run

#: File name → what it describes. Readers pass over keys they do not know, and so do the schemas.
PUBLISHED: dict[str, type[msgspec.Struct]] = {
    "run.schema.json": Run,
    "cell.schema.json": CellResult,
    "crossing.schema.json": Crossing,
    "fix.schema.json": Fix,
    "reruns.schema.json": Reruns,
    "bisect.schema.json": Blame,
    "peel.schema.json": Peel,
}


def schema(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a file that djhop writes."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(kind)}


def text(kind: type[msgspec.Struct]) -> bytes:
    """Return the schema as it stands in its file."""
    return msgspec.json.format(msgspec.json.encode(schema(kind), order="sorted"), indent=2) + b"\n"
