"""Queries of tests: how the probe counts them, and what a hop says of them."""

from __future__ import annotations

import copy
import importlib
import itertools
import pickle
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import many
import msgspec
import pytest

import djhop
from djhop import releases
from djhop.compare.compare import judge
from djhop.compare.queries import Grew, Queries
from djhop.matrix.plan import Cell, Hop
from djhop.results import events, passes
from djhop.results.eventlog import Begin, Counting, End, Report, Start, Stop
from djhop.results.eventlog import Queries as Said
from djhop.results.passes import Pass, Ran
from djhop.results.paths import Paths
from djhop.results.results import CellResult, build
from djhop.results.results import Test as Case

PROBE = Path(djhop.__file__).parent / "probe"
OLD, NEW = Cell(django="4.2", python="3.12"), Cell(django="5.2", python="3.12")


class BaseDatabaseWrapper:
    """Django's, as far as it concerns queries: the same in every series from 2.0 to 6.1."""

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self.execute_wrappers: list[Any] = []

    def execute_wrapper(self) -> None:
        """Only its name is looked for."""

    def execute(self, sql: str) -> str:
        def executor(text: str) -> str:
            return f"did {text}"

        for wrapper in reversed(self.execute_wrappers):
            executor = _bound(wrapper, executor)
        return executor(sql)


def _bound(wrapper: Any, executor: Any) -> Any:
    return lambda text: wrapper(executor, text)


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    monkeypatch.syspath_prepend(str(PROBE))
    module = importlib.import_module("djhop_probe_queries")
    said: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(module, "emit", lambda kind, **fields: said.append((kind, fields)))
    kind = type("Wrapper", (BaseDatabaseWrapper,), {"__init__": BaseDatabaseWrapper.__init__})
    django = ModuleType(module.WRAPPER)
    django.BaseDatabaseWrapper = kind  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.WRAPPER, django)
    module.install()
    yield SimpleNamespace(module=module, said=said, Wrapper=kind)
    for name in [name for name in sys.modules if name.startswith("djhop_probe")]:
        del sys.modules[name]


def test_each_query_of_a_test_is_counted_once_by_connection(probe: SimpleNamespace) -> None:
    first, second = probe.Wrapper("default"), probe.Wrapper("other")
    first.execute("migrate")
    probe.module.begin()
    for _ in range(3):
        assert first.execute("SELECT") == "did SELECT"
    second.execute("SELECT")
    probe.module.end("a")
    probe.module.begin()
    probe.module.end("b")
    assert probe.said == [
        ("counting", {}),
        ("queries", {"id": "a", "n": {"default": 3, "other": 1}}),
    ]


def test_nothing_is_otherwise_for_a_suite(probe: SimpleNamespace) -> None:
    made = probe.Wrapper("default")
    assert made.execute_wrappers == [] and isinstance(made.execute_wrappers, list)
    for twin in (copy.copy(made.execute_wrappers), copy.deepcopy(made.execute_wrappers),
                 pickle.loads(pickle.dumps(made.execute_wrappers))):  # fmt: skip
        assert type(twin) is list and twin == []
    order = []
    for name in ("outer", "inner"):
        made.execute_wrappers.append(
            lambda run, text, name=name: (order.append(name), run(text))[1]
        )
    probe.module.begin()
    assert made.execute("SELECT") == "did SELECT"
    assert order == ["outer", "inner"]
    probe.module.end("a")
    assert probe.said[-1] == ("queries", {"id": "a", "n": {"default": 1}})


def test_no_frame_of_the_probe_is_in_a_traceback_of_a_query(probe: SimpleNamespace) -> None:
    made = probe.Wrapper("default")

    def fails(run: Any, text: str) -> None:
        raise ValueError(text)

    made.execute_wrappers.append(fails)
    with pytest.raises(ValueError, match="SELECT") as raised:
        made.execute("SELECT")
    files = [frame.filename for frame in traceback.extract_tb(raised.value.__traceback__)]
    assert not [name for name in files if "djhop_probe" in name]


def test_a_django_without_wrappers_is_not_counted(probe: SimpleNamespace) -> None:
    probe.said.clear()
    old = ModuleType("old")
    old.BaseDatabaseWrapper = type("Old", (), {})  # type: ignore[attr-defined]
    probe.module._change(old)
    assert probe.said == []


# From the log to the cell.


def ran(mode: str, counts: dict[str, dict[str, int]], *, counting: bool = True) -> Ran:
    found: list[Any] = [Begin(pid=1, framework="django", mode=mode, python="3.12", django="5.2")]
    found += [Counting(pid=1)] * counting
    for name, n in counts.items():
        found += [Start(pid=1, id=name), *([Said(pid=1, id=name, n=n)] if n else [])]
        found += [Report(pid=1, id=name, when="whole", outcome="passed"), Stop(pid=1, id=name)]
    found.append(End(pid=1, code=0))
    info = Pass(mode=msgspec.convert(mode, passes.Mode))
    return Ran(info=info, events=events.gather(found))


def made(*runs: Ran) -> CellResult:
    paths = Paths(root="/t", site_packages=(), hidden=(), import_roots=())
    return build(NEW, runs, paths=paths, releases=releases.load())


def test_a_cell_has_the_queries_of_the_pass_that_decides() -> None:
    strict, plain = ran("strict", {"a": {"default": 9}, "b": {}}), ran("plain", {"a": {"x": 2}})
    cell = made(strict)
    assert cell.counts_queries
    assert {test.id: test.queries for test in cell.tests} == {"a": {"default": 9}, "b": None}
    cell = made(strict, plain)
    assert {test.id: test.queries for test in cell.tests} == {"a": {"x": 2}, "b": None}
    assert not made(strict, ran("plain", {"a": {}}, counting=False)).counts_queries


# From two cells to the hop.


def cell(at: Cell, counts: dict[str, dict[str, int] | None], red: str = "", **more: Any) -> Any:
    tests = tuple(
        msgspec.convert(
            {"id": name, "queries": n, "strict": said, "plain": said,
             "failure": many.failure(1) if said == "failed" else None},
            Case, from_attributes=True,
        )
        for name, n in counts.items()
        for said in ["failed" if name == red else "passed"]
    )  # fmt: skip
    status = "failed" if red else "passed"
    return many.result(at, status, tests, counts_queries=True, **more)


def hop(before: CellResult, after: CellResult) -> Queries | None:
    return judge(before, after, Hop(before=OLD, after=NEW, axis="django")).queries


def test_a_hop_tells_which_tests_ask_more_often() -> None:
    before = cell(OLD, {"a": {"default": 3}, "b": {"default": 2}, "c": None, "d": {"default": 5}})
    after = cell(NEW, {"a": {"default": 9}, "b": {"default": 2}, "c": {"x": 1}, "d": None})
    assert hop(before, after) == Queries(
        tests=4, more=2, less=1, before=10, after=12,
        grew=(Grew(test="a", connection="default", before=3, after=9),
              Grew(test="c", connection="x", before=0, after=1)),
    )  # fmt: skip


def test_a_test_that_fails_says_nothing_of_queries() -> None:
    few, more = {"a": {"default": 1}, "b": {"default": 1}}, {"a": {"default": 9}, "b": None}
    for red in itertools.product(("", "a"), repeat=2):
        found = hop(cell(OLD, few, red[0]), cell(NEW, more, red[1]))
        assert found is not None
        assert found.more == (0 if any(red) else 1)


def test_what_was_not_counted_on_both_sides_is_not_known() -> None:
    counted, bare = cell(OLD, {"a": {"default": 1}}), many.result(NEW, "passed", ())
    assert hop(counted, bare) is None
    assert hop(msgspec.structs.replace(bare, id=OLD.id), cell(NEW, {"a": None})) is None
