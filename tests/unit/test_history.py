"""What earlier nights saw: what is kept does not depend on the order, what is said is true."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from djhop.errors import InfraError, UsageError
from djhop.history import database, memory, paces, reading, states
from djhop.history.memory import Memory
from djhop.history.nights import Crossed, Night, Told, moved
from djhop.history.since import CellSince, Since

LINE = "shop, lts"
CELL = "py3.10-django4.2"
HOP = "py3.10-django4.2..py3.10-django5.2"
PACKAGES = {"django": "4.2.1", "asgiref": "3.7.2", "Python": "3.10.4", "djhop": "0.1.0"}


def night(day: int, **more: object) -> Night:
    facts = {"tree": "t", "settings": "s", "revision": f"{day:02}" * 20}
    return Night(
        run=f"run-{day}", started=f"2026-11-{day:02}T01:00:00Z", line=LINE, **{**facts, **more}
    )


def cell(tests: str = "", **more: object) -> Told:
    """A cell of which each word says a test and its state: "a=pp b=ff/cause"."""
    pairs = (word.partition("=")[::2] for word in tests.split())
    found = {name: (state.partition("/")[0], state.partition("/")[2]) for name, state in pairs}
    red = any(states.kind(state) == "failed" for state, _ in found.values())
    facts = {"status": "failed" if red else "passed", "ran": True, "packages": PACKAGES}
    return Told(id=CELL, tests=found, **{**facts, **more})


@pytest.fixture
def open_(tmp_path: Path) -> Iterator[Memory]:
    with memory.opened(tmp_path / "history.sqlite", pytest.fail) as found:
        yield found


def since(open_: Memory, *nights: tuple[Night, Told], window: int = 14) -> Since:
    """What the last of several nights says."""
    found = [open_.remember(one, [told], window=window) for one, told in nights]
    assert found[-1] is not None
    return found[-1]


def only(found: Since) -> CellSince:
    (one,) = found.cells
    return one


def test_the_first_night_says_nothing(open_: Memory) -> None:
    assert open_.remember(night(1), [cell("a=pp")], window=14) is None


def test_a_run_is_recorded_once(open_: Memory) -> None:
    assert open_.record(night(1), [cell("a=pp")])
    assert not open_.record(night(1), [cell("a=ff")])
    assert open_.remember(night(1), [cell("a=ff")], window=14) is None
    assert len(reading.runs(open_.made, LINE)) == 1


@pytest.mark.parametrize(
    ("before", "after", "name"),
    [
        ("a=pp", "a=ff/x", "broke"),
        ("a=pp", "a=ee/x", "broke"),
        ("a=ff/x", "a=ff/y", "broke_differently"),
        ("b=pp", "b=pp a=ff/x", "new_failures"),
        ("a=ss b=pp", "a=ff/x b=pp", "new_failures"),
        ("a=pp b=pp", "b=pp", "vanished"),
        ("a=pp", "a=ss", "newly_skipped"),
        ("a=pp", "a=pf/x", "newly_deprecated"),
        ("a=ff/x", "a=pp", "fixed"),
    ],
)
def test_what_became_of_a_test(open_: Memory, before: str, after: str, name: str) -> None:
    found = only(since(open_, (night(1), cell(before)), (night(2), cell(after))))
    lists = {key: getattr(found, key) for key in CellSince.__struct_fields__}
    told = {key: one.ids for key, one in lists.items() if hasattr(one, "ids") and one.total}
    assert told == {name: ("a",)}


def test_what_did_not_change_is_not_told(open_: Memory) -> None:
    tests = "a=pp b=ff/x c=ss d=pf/y"
    found = only(since(open_, (night(1), cell(tests)), (night(2), cell(tests))))
    assert not found.worse
    assert not found.fixed.total


def test_a_package_that_moved_is_named_where_the_project_did_not_change(open_: Memory) -> None:
    other = {**PACKAGES, "asgiref": "3.8.1"}
    found = only(since(open_, (night(1), cell("a=pp")), (night(2), cell("a=ff", packages=other))))
    assert (found.why, found.moved) == ("moved", ("asgiref 3.7.2 → 3.8.1",))
    assert found.turned_red


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"tree": "other"}, "project"),
        ({"tree": ""}, "unknown"),
        ({"settings": "other"}, "matrix"),
        ({}, "nothing"),
    ],
)
def test_why_it_may_be(open_: Memory, changes: dict[str, str], why: str) -> None:
    found = only(since(open_, (night(1), cell("a=pp")), (night(2, **changes), cell("a=ff"))))
    assert found.why == why


def test_packages_that_come_and_go_are_named() -> None:
    assert moved({"a": "1", "b": "2"}, {"b": "2", "c": "3"}) == (
        "a 1 → (none)",
        "c (none) → 3",
    )


def test_of_many_packages_those_that_the_tests_name_come_first(open_: Memory) -> None:
    before = {"asgiref": "3", "certifi": "1", "Markdown": "3.7"}
    after = {"asgiref": "4", "certifi": "2", "Markdown": "3.8"}
    first = cell("test_markdown=pp", packages=before)
    found = only(
        since(open_, (night(1), first), (night(2), cell("test_markdown=ff/x", packages=after)))
    )
    assert [move.split()[0] for move in found.moved] == ["Markdown", "asgiref", "certifi"]


def test_since_when_it_fails(open_: Memory) -> None:
    found = since(
        open_,
        (night(1), cell("a=pp b=ff/x")),
        (night(2), cell("a=ff/x b=ff/x")),
        (night(3), cell("a=ff/y b=ff/x")),
        (night(4), cell("a=ff/y b=ff/x")),
    )
    told = [(one.run, one.or_earlier, one.tests.ids, one.revision) for one in found.still]
    assert told == [
        ("run-1", True, ("b",), "01" * 20),
        ("run-2", False, ("a",), "02" * 20),
    ]


def test_a_night_without_a_result_does_not_end_a_row_of_failures(open_: Memory) -> None:
    found = since(
        open_,
        (night(1), cell("a=pp")),
        (night(2), cell("a=ff/x")),
        (night(3), cell(status="infra", ran=False)),
        (night(4), cell("b=pp", status="crashed", hidden=True)),
        (night(5), cell("a=ff/x b=pp")),
    )
    assert [(one.run, one.tests.ids) for one in found.still] == [("run-2", ("a",))]
    assert not only(found).worse


def test_a_cell_without_a_result_is_compared_with_nothing_new(open_: Memory) -> None:
    lost = cell(status="infra", ran=False, packages={})
    found = only(since(open_, (night(1), cell("a=pp")), (night(2), lost)))
    assert (found.before, found.after, found.worse) == ("passed", "infra", False)


def test_after_it_the_last_night_with_a_result_counts(open_: Memory) -> None:
    lost = cell(status="infra", ran=False, packages={})
    found = only(
        since(open_, (night(1), cell("a=pp")), (night(2), lost), (night(3), cell("a=ff/x")))
    )
    assert (found.run, found.broke.ids) == ("run-1", ("a",))


def test_a_suite_that_cannot_be_loaded_makes_no_test_vanish(open_: Memory) -> None:
    dead = cell(status="uncollectable", ran=False)
    first = only(since(open_, (night(1), cell("a=pp")), (night(2), dead)))
    assert (first.turned_red, first.vanished.total) == (True, 0)
    second = open_.remember(night(3), [dead], window=14)
    assert second is not None
    assert (only(second).before, only(second).worse) == ("uncollectable", False)


def test_what_a_cut_suite_hides_is_compared_with_what_was_known(open_: Memory) -> None:
    cut = cell("b=pp", status="crashed", hidden=True)
    found = only(since(open_, (night(1), cell("a=pp b=pp c=pp d=pp")), (night(2), cut)))
    assert found.vanished.total == 0
    last = open_.remember(night(3), [cell("a=ff/x b=pp c=pp e=ff/x")], window=14)
    assert last is not None
    assert only(last).broke.ids == ("a",)
    assert only(last).vanished.ids == ("d",)
    assert only(last).new_failures.total == 0  # nobody knows whether e was there


def test_what_wavers_with_nothing_changed_is_flaky_and_not_broken(open_: Memory) -> None:
    told = [cell(f"a={state} b=pp") for state in ("pp", "ff/x", "pp", "ff/x")]
    found = since(open_, *((night(day), one) for day, one in enumerate(told, 1)))
    assert [(one.id, one.times) for one in found.flaky] == [("a", 3)]
    assert only(found).broke.total == 0


def test_what_changes_with_the_project_is_not_flaky(open_: Memory) -> None:
    told = [cell(f"a={state}") for state in ("pp", "ff/x", "pp", "ff/x")]
    found = since(open_, *((night(day, tree=str(day)), one) for day, one in enumerate(told, 1)))
    assert found.flaky == ()
    assert only(found).broke.ids == ("a",)


def test_what_changes_with_a_package_is_not_flaky(open_: Memory) -> None:
    told = [
        cell(f"a={state}", packages={**PACKAGES, "asgiref": str(number)})
        for number, state in enumerate(("pp", "ff/x", "pp", "ff/x"))
    ]
    found = since(open_, *((night(day), one) for day, one in enumerate(told, 1)))
    assert found.flaky == ()
    assert only(found).broke.ids == ("a",)


def test_what_vanished_behind_several_cut_nights_is_told(open_: Memory) -> None:
    cut = cell("b=pp", status="crashed", hidden=True)
    nights = [cell("a=pp b=pp"), cut, cut, cell("b=pp")]
    found = since(open_, *((night(day), one) for day, one in enumerate(nights, 1)), window=1)
    assert only(found).vanished.ids == ("a",)


def test_both_ways_in_one_night_is_flaky(open_: Memory) -> None:
    found = since(open_, (night(1), cell("a=pp")), (night(2), cell("a=fp~/x")))
    assert [one.id for one in found.flaky] == ["a"]
    assert not only(found).broke.total


def test_strips_tell_every_night(open_: Memory) -> None:
    found = since(
        open_,
        (night(1), cell("b=pp")),
        (night(2), cell("a=pp b=pp")),
        (night(3), cell(status="infra", ran=False)),
        (night(4), cell("b=pp", hidden=True, status="crashed")),
        (night(5), cell("a=pf b=pp")),
        (night(6), cell("a=ff b=pp")),
    )
    assert found.strips == {CELL: {"a": ".p ?wf"}}
    assert len(found.strip_nights) == 6


def test_what_is_left_on_a_hop(open_: Memory) -> None:
    hops = [
        Crossed(id=HOP, verdict="breaks", breaks=3, causes={"x": 3}, uses={"u": 1, "v": 2}),
        Crossed(id=HOP, verdict="unknown", breaks=None, uses={"u": 1}),
        Crossed(id=HOP, verdict="clean", breaks=0),
    ]
    found = since(
        open_, *((night(day, hops=(hop,)), cell("a=pp")) for day, hop in enumerate(hops, 1))
    )
    (burn,) = found.burn
    assert burn.breaks == (3, None, 0)
    assert burn.deprecations == (2, 1, 0)
    (scope,) = reading.scopes(open_.made, "hop", LINE)
    (cause,) = reading.find(open_.made, "x", ("cause",))
    steps = reading.steps(open_.made, scope.id, cause.id)
    assert [step.state for step in steps] == ["3", ""]


def test_the_order_in_which_nights_come_changes_nothing(tmp_path: Path) -> None:
    told = [cell("a=pp b=ff/x"), cell("b=ff/x"), cell("a=pp b=pp c=ss")]
    nights = [(night(day), one) for day, one in enumerate(told, 1)]
    kept = set()
    for number, order in enumerate(itertools.permutations(nights)):
        with memory.opened(tmp_path / f"{number}.sqlite", pytest.fail) as open_:
            for one, cell_ in order:
                assert open_.record(one, [cell_])
            kept.add(content(open_))
    assert len(kept) == 1


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.dictionaries(st.sampled_from("abcd"), st.sampled_from(["pp", "ff", "ss"])), max_size=6
    ),
    st.randoms(),
)
def test_each_night_reads_as_it_was(table: list[dict[str, str]], random: object) -> None:
    told = [cell(" ".join(f"{k}={v}" for k, v in row.items())) for row in table]
    nights = [(night(day), one) for day, one in enumerate(told, 1)]
    random.shuffle(nights)  # type: ignore[attr-defined]
    made = database.connect(Path(":memory:"))
    open_ = Memory(made)
    for one, cell_ in nights:
        open_.record(one, [cell_])
    rows = reading.runs(made, LINE)
    names = reading.subjects(made, "test")
    scopes = reading.scopes(made, "cell", LINE)
    for row, expected in zip(rows, table, strict=True):
        found = {
            names[subject]: [step.state for step in steps][-1:]
            for subject, steps in reading.every_step(made, scopes[0].id, row.at)
        }
        assert {k: v[0] for k, v in found.items() if v and v[0]} == expected
    count = made.execute("SELECT COUNT(*) FROM change").fetchone()[0]
    columns = [[row.get(name, "") for row in table] for name in "abcd"]
    assert count == sum(
        sum(a != b for a, b in itertools.pairwise(["", *column])) for column in columns
    )
    made.close()


def content(open_: Memory) -> tuple[object, ...]:
    rows = open_.made.execute(
        "SELECT subject.name, change.at, state, cause.name FROM change"
        " JOIN subject ON subject.id = change.subject"
        " LEFT JOIN subject AS cause ON cause.id = change.detail ORDER BY 1, 2"
    )
    return tuple(rows.fetchall())


def test_seconds_in_a_byte_are_near_enough() -> None:
    told = {0: 0.0004, 1: 0.25, 3: 12.0, 4: 7000.0}
    column = paces.unpack(paces.pack(told))
    assert column[2] == 0
    for number, seconds in told.items():
        assert paces.seconds(column[number]) == pytest.approx(max(seconds, 0.001), rel=0.04)


def columns(*nights: dict[int, float]) -> list[bytes]:
    return [paces.unpack(paces.pack(one)) for one in nights]


def test_slower_is_beyond_the_most_of_the_last_nights() -> None:
    usual = dict.fromkeys(range(20), 1.0)
    earlier = columns(usual, {**usual, 1: 1.8}, usual)
    found = paces.slower({**usual, 0: 2.0, 1: 2.0}, earlier)
    assert list(found) == [0]


def test_a_slow_machine_makes_no_test_slower() -> None:
    usual = dict.fromkeys(range(20), 1.0)
    assert paces.slower(dict.fromkeys(usual, 2.0), columns(usual, usual, usual)) == {}


def test_two_nights_are_no_ground_to_call_anything_slow() -> None:
    usual = dict.fromkeys(range(20), 1.0)
    assert paces.slower({**usual, 0: 9.0}, columns(usual, usual)) == {}


def test_slower_tests_and_suites_are_told(open_: Memory) -> None:
    usual = dict.fromkeys("abcdefgh", 1.0)
    tests = " ".join(f"{name}=pp" for name in usual)
    told = [cell(tests, paces=usual, suite=8.0) for _ in range(3)]
    told.append(cell(tests, paces={**usual, "c": 5.0}, suite=12.0))
    found = since(open_, *((night(day), one) for day, one in enumerate(told, 1)))
    assert [one.id for one in found.slower] == ["c"]
    assert (only(found).seconds, only(found).most) == (12.0, 8.0)


def test_what_a_cell_takes_is_known_from_its_last_night_with_tests(open_: Memory) -> None:
    open_.record(night(1), [cell("a=pp b=pp", seconds=30.0)])
    open_.record(night(2), [cell("a=pp", seconds=40.0)])
    open_.record(night(3), [cell(status="infra", ran=False, seconds=1.0)])
    assert open_.expected(LINE) == {CELL: (40.0, 1)}


# The file


def test_a_newer_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    with memory.opened(path, pytest.fail) as open_:
        open_.made.execute(f"PRAGMA user_version = {database.FORMAT + 1}")
    with (
        pytest.raises(UsageError, match=r"newer djhop \(format 2"),
        memory.opened(path, pytest.fail),
    ):
        pass
    assert path.is_file()


@pytest.mark.parametrize("damage", ["text", "cut", "middle"])
def test_a_damaged_file_is_set_aside_and_said(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "history.sqlite"
    if damage == "text":
        path.write_text("no database at all, whatever its name says" * 9)
    else:
        with memory.opened(path, pytest.fail) as open_:
            open_.record(night(1), [cell("a=pp")])
        whole = path.read_bytes()
        path.write_bytes(whole[:5000] if damage == "cut" else b"\0" * 60 + whole[60:])
    said: list[str] = []
    with memory.opened(path, said.append) as open_:
        assert open_.record(night(1), [cell("a=pp")])
    (aside,) = tmp_path.glob("history.sqlite.damaged-*")
    assert aside.name in said[0]


def test_a_question_leaves_a_damaged_file_where_it_is(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    path.write_text("no database")
    with pytest.raises(InfraError, match="is damaged"), memory.opened(path, None):
        pass
    assert path.read_text() == "no database"


def test_damage_that_is_met_later_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    with (
        pytest.raises(InfraError, match="is damaged"),
        memory.opened(path, pytest.fail),
    ):
        raise sqlite3.DatabaseError("database disk image is malformed")


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(InfraError, match="cannot open"),
        memory.opened(tmp_path / "file" / "history.sqlite", pytest.fail),
    ):
        pass


def test_an_interrupted_write_leaves_nothing(open_: Memory) -> None:
    def cells() -> Iterator[Told]:
        yield cell("a=pp")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        open_.record(night(1), cells())
    assert reading.runs(open_.made, LINE) == []
    assert open_.record(night(1), [cell("a=pp")])
