"""What each output of a run says of its cells, hops and causes, against `run.json`."""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections import Counter
from typing import Any

from djhop import releases
from djhop.reports import outputs
from djhop.reports.html import page
from djhop.reports.summary import summarise
from djhop.results.results import CellResult
from djhop.store.record import Run

Made = tuple[Run, dict[str, CellResult]]
#: The letters of plain outcomes that count as failures in the page.
RED = "fec"
#: Names of the lists of a hop that make it break.
BREAKING = ("broke", "broke_differently", "vanished", "newly_skipped", "new_failures")
#: Outputs that say the answer, and how cells went, in words.
WORDS = ("text", "markdown", "github-summary", "github-comment")


def check(run: Made) -> None:
    """Fail where any output says otherwise than `run.json`; every output is looked at."""
    told = {name: "".join(outputs.pieces(name, *run)) for name in (*outputs.FORMS, *outputs.JUNIT)}
    answer = letters(summarise(run[0], releases.load()).answer)
    for name in WORDS:
        assert answer in letters(told.pop(name)), name
    assert letters(told.pop("github-annotations").splitlines()[-1]).count(answer) == 1
    statuses = Counter(cell.status for cell in run[0].cells)
    for name in ("junit", "gitlab-junit"):
        said = re.findall(r'"djhop.status" value="([^"]+)"', told.pop(name))
        assert Counter(said) == statuses, name
    rows = [json.loads(line) for line in told.pop("jsonl").splitlines()]
    assert Counter(row["status"] for row in rows if row["kind"] == "cell") == statuses
    red = {row["cause"] for row in rows if row["kind"] == "test" and row["state"] == "failed"}
    document = json.loads(told.pop("ctrf"))["results"]
    failed = [t["labels"] for t in document["tests"] if t["rawStatus"].startswith("failed")]
    assert {labels.get("cause", "") for labels in failed if labels["kind"] == "test"} == red
    assert red - {""} <= {cause.id for cause in run[0].causes}
    _sarif(run[0], told.pop("sarif"))
    _quality(run[0], told.pop("gitlab-quality"))
    _pictures(run[0], told.pop("svg"), told.pop("badge"))
    bars = Counter(re.findall(r"<title>(\S+): [^<]* s</title>", told.pop("durations")))
    assert set(bars) == {cell.id for cell in run[0].cells if sum(cell.seconds.values())}
    assert json.loads(told.pop("json"))["name"] == run[0].name
    _page(run)
    assert not told, "an output that nothing counts"


def letters(text: str) -> str:
    """What is left where lines are broken and markup is written in other ways."""
    return re.sub(r"[\W_]+", "", text)


def _sarif(run: Run, text: str) -> None:
    (only,) = json.loads(text)["runs"]
    prints = {r["partialFingerprints"]["djhop/v1"] for r in only["results"]
              if r["ruleId"].startswith("djhop/break/")}  # fmt: skip
    assert prints <= {cause.id for cause in run.causes if cause.hops}


def _quality(run: Run, text: str) -> None:
    rows = json.loads(text)
    prints = {r["fingerprint"] for r in rows if r["check_name"].startswith("djhop/break/")}
    assert prints <= {f"break-{cause.id}" for cause in run.causes if cause.hops}


def _pictures(run: Run, matrix: str, badge: str) -> None:
    statuses = Counter(cell.status for cell in run.cells if cell.status != "unsupported")
    words = Counter(re.findall(r'class="word"[^>]*>([\w-]+)', matrix))
    # Narrow boxes have counts in the place of some words.
    many = 'class="matrix many"' in matrix
    assert all(words[name] <= at_most for name, at_most in statuses.items())
    assert many or words == statuses
    breaks = sum(hop.verdict == "breaks" for hop in run.hops if hop.on_path)
    assert not breaks or re.search(rf"\b{breaks} hops? breaks?\b", badge)


def unpacked(text: str) -> dict[str, Any]:
    """The data of a page."""
    packed = re.search(r'id="data">([^<]*)<', text)
    assert packed
    found: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(packed[1])))
    return found


def _page(run: Made) -> None:
    data = unpacked(page.compose(*run))
    cells = {cell.id: cell for cell in run[0].cells if cell.status != "unsupported"}
    assert {one["id"]: one["status"] for one in data["cells"]} == {
        name: cell.status for name, cell in cells.items()
    }
    for one in data["cells"]:
        assert sum(one["plain"].count(letter) for letter in RED) == cells[one["id"]].failing
    assert [cause["id"] for cause in data["causes"]] == [cause.id for cause in run[0].causes]
    for one, hop in zip(data["hops"], run[0].hops, strict=True):
        assert (one["id"], one["view"]["verdict"]) == (hop.id, hop.verdict)
        shown = {name: len(one["changes"][name]) for name in BREAKING}
        assert shown == {name: len(getattr(hop, name)) for name in BREAKING}
