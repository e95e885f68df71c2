"""What newly fails is run again: a target that fails by chance, by order, and truly."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import djhop_cli
import oracle
import pytest
from djhop_cli import Done

TARGET = Path(oracle.__file__).parent / "targets" / "newly-flaky"
BEFORE, AFTER = "py3.12-django4.2", "py3.12-django5.2"

pytestmark = pytest.mark.needs_python("3.12")


def run(room: Path, shared: Path, test: list[str], *args: str, **flaky: object) -> Done:
    target = oracle.copy(TARGET, room / "target")
    entries = "\n".join(
        f'[[test]]\nid = "{name}"\nreason = "as made"\nexpires = {day}'
        for name, day in (("*.test_by_chance", "2999-12-31"), ("*.test_steady", "2020-01-01"))
    )
    (target / "flaky.toml").write_text(entries)
    given: dict[str, Any] = {"steps": ["4.2", "5.2"], "python": "3.12", "only": ["tests"]}
    given |= {"test": test, "set-env": {"FLAKY_COUNTER": "../counter.txt"}, "flaky": flaky}
    matrix = djhop_cli.matrix_file(room / "matrix.toml", given)
    options = ("--", *args) if args else ()
    cache, out = shared / "djhop", room / "reports"
    return djhop_cli.run(target, matrix, cache=cache, out=out, options=options)


def reruns(done: Done) -> dict[str, Any]:
    text = (done.folder / "hops" / f"{BEFORE}..{AFTER}" / "reruns.json").read_text()
    return dict(json.loads(text))


@pytest.mark.slow
def test_only_what_breaks_each_time_is_a_break(tmp_path: Path, shared: Path) -> None:
    done = run(tmp_path, shared, ["pytest"])
    hop = done.hop(BEFORE, AFTER)
    assert (hop["verdict"], done.returncode) == ("breaks", 1)
    real = ("b_needs_what_a_prepares", "c_breaks", "d_breaks", "e_breaks_alike")
    assert hop["broke"] == [f"test_real.py::Real::test_{name}" for name in real]
    assert hop["flaky"] == ["test_by_chance.py::Chance::test_by_chance"]
    assert hop["order_dependent"] == [
        "test_order.py::Order::test_b_wants_it_clean",
        "test_order_of_modules.py::Later::test_wants_it_clean",
    ]
    # Django warned of what d and e import.
    assert (hop["reruns"]["asked"], hop["reruns"]["foretold"], hop["reruns"]["tests"]) == (7, 2, 5)
    seen = Counter(
        (one["side"], one["outcome"])
        for one in reruns(done)["runs"]
        if one["test"] == hop["flaky"][0]
    )
    assert seen["before", "failed"] == 0
    assert seen["after", "failed"] and seen["after", "passed"]


def test_known_flaky_tests_do_not_count_until_they_expire(tmp_path: Path, shared: Path) -> None:
    suite = ["manage.py", "test"]
    done = run(tmp_path, shared, suite, "test_by_chance", known="flaky.toml")
    hop = done.hop(BEFORE, AFTER)
    assert (hop["verdict"], hop["broke"], hop["causes"]) == ("clean", [], [])
    assert hop["known_flaky"] == ["test_by_chance.Chance.test_by_chance"]
    assert {one["how"] for one in reruns(done)["runs"]} == {"alone"}
    # For the entry whose last day is over; the hop is clean.
    assert done.returncode == 1
    assert any("its last day was 2020-01-01" in note for note in done.run["notes"])
