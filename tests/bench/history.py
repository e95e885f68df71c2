"""A year of nights in history.sqlite: how large it gets, how long a question takes.

    python tests/bench/history.py                       365 nights × 20 cells × 20,000 tests
    python tests/bench/history.py --nights 30 --tests 2000

All nights but the last are put into the tables as `history.writing` would leave them (which takes a
minute instead of hours); the last one is recorded, and asked about, as a run does it.
"""

from __future__ import annotations

import argparse
import datetime
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from djhop.history import asking, database, memory, paces, writing
from djhop.history.nights import Night, Told

LINE = "shop, lts"
BEGIN = datetime.datetime(2025, 11, 21, 1, tzinfo=datetime.UTC)
LOCK = {f"package-{number}": "1.0" for number in range(80)}


def name(number: int) -> str:
    return (
        f"tests/orders/test_module_{number // 50:03}.py::TestOrders{number // 10 % 5}"
        f"::test_what_happens_when_an_order_is_placed_{number:05}"
    )


def cell(number: int) -> str:
    return f"py3.{8 + number // 5}-django{4 + number % 5 // 3}.{number % 3}"


def night(day: int) -> Night:
    began = BEGIN + datetime.timedelta(days=day)
    stamp = began.strftime("%Y-%m-%dT%H:%M:%SZ")
    return Night(run=f"run-{day}", started=stamp, line=LINE, tree=str(day), settings="s")


def fill(path: Path, nights: int, cells: int, tests: int, turns: int) -> None:
    """Put all nights into the tables: each night `turns` tests of each cell fail or are mended."""
    made, chance = database.connect(path), random.Random(1)
    columns = [paces.pack(usual(tests, chance)) for _ in range(20)]
    red: list[set[int]] = [set() for _ in range(cells)]
    with database.transaction(made):
        rows = [("test", name(number), "") for number in range(tests)]
        rows += [("cause", f"{number:010x}", "AssertionError: boom") for number in range(50)]
        made.executemany("INSERT INTO subject (kind, name, label) VALUES (?, ?, ?)", rows)
    for day in range(nights):
        with database.transaction(made):
            at = writing.begin(made, night(day))
            for number in range(cells):
                scope = writing.scope_of(made, LINE, "cell", cell(number))
                chosen = {*range(tests)} if not day else {*chance.sample(range(tests), turns)}
                changes = []
                for test in sorted(chosen):
                    broke = bool(day) and test not in red[number]
                    (red[number].add if broke else red[number].discard)(test)
                    cause = tests + 1 + test % 50 if broke else 0
                    changes.append((scope, test + 1, at, "ff" if broke else "pp", cause))
                for cause in {test % 50 for test in chosen} if day else ():
                    count = sum(test % 50 == cause for test in red[number])
                    changes.append((scope, tests + 1 + cause, at, str(count or ""), 0))
                made.executemany("INSERT INTO change VALUES (?, ?, ?, ?, ?)", changes)
                lock = writing._lock(made, {**LOCK, "asgiref": f"3.{day // 30}"})
                made.execute(
                    "INSERT INTO seen VALUES (?, ?, 'failed', 1, ?, NULL, 90, 180, 87.5, ?)",
                    (scope, at, tests, lock),
                )
                packed = (scope, at, chance.choice(columns))
                made.execute("INSERT INTO pace VALUES (?, ?, ?)", packed)
    made.close()


def usual(tests: int, chance: random.Random) -> dict[int, float]:
    """What each test takes in one night: some of the same, give or take."""
    return {
        test + 1: (0.001 + test % 97 / 500) * chance.uniform(0.8, 1.25) for test in range(tests)
    }


def last(day: int, cells: int, tests: int) -> Iterator[Told]:
    for number in range(cells):
        found = {name(test): ("ff" if test % 400 == 3 else "pp", "") for test in range(tests)}
        yield Told(
            id=cell(number),
            status="failed",
            ran=True,
            tests=found,
            paces=dict.fromkeys(found, 0.05),
            suite=90.0,
            seconds=180.0,
            packages={**LOCK, "asgiref": f"4.{day}"},
        )


def timed(what: str, do: Callable[[], object]) -> None:
    """Print how long it takes, and how much of that is work: other programs may be in the way."""
    took = []
    for _ in range(3):
        began, worked = time.perf_counter(), time.process_time()
        do()
        took.append((time.perf_counter() - began, time.process_time() - worked))
    wall, work = sorted(took)[1]
    print(f"  {what:<40} {wall * 1000:8.1f} ms  (work {work * 1000:6.1f} ms)")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    for option, usual in (("nights", 365), ("cells", 20), ("tests", 20_000), ("turns", 100)):
        asked.add_argument(f"--{option}", type=int, default=usual)
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / database.NAME
        began = time.perf_counter()
        fill(path, given.nights - 1, given.cells, given.tests, given.turns)
        print(f"{given.nights - 1} nights made in {time.perf_counter() - began:.0f} s")
        with memory.opened(path, None) as open_:
            began, worked = time.perf_counter(), time.process_time()
            told = last(given.nights, given.cells, given.tests)
            since = open_.remember(night(given.nights - 1), told, window=14)
            took, work = time.perf_counter() - began, time.process_time() - worked
            print(f"the last one recorded and compared in {took:.1f} s (work {work:.1f} s)")
            broke = sum(one.broke.total for one in since.cells) if since else 0
            print(f"  newly broken: {broke:,}; failing before: {len(since.still) if since else 0}")
        size = sum(file.stat().st_size for file in path.parent.iterdir())
        shape = f"{given.nights} nights × {given.cells} cells × {given.tests:,} tests"
        print(f"{shape}, {given.turns} changes a cell and night: {size / 1e6:.0f} MB")
        ask(path, given.tests)


def ask(path: Path, tests: int) -> None:
    """Time each question, the file opened anew, as a command does."""
    questions: dict[str, Callable[[memory.Memory], object]] = {
        "a test by its id": lambda open_: asking.of_subject(open_.made, name(tests // 2)),
        "a test by a part of its id": lambda open_: asking.of_subject(open_.made, name(7)[-8:]),
        "a cell": lambda open_: asking.of_cell(open_.made, cell(3)),
        "a cause": lambda open_: asking.of_subject(open_.made, f"{7:010x}"),
        "the nights": lambda open_: asking.every_night(open_.made),
        "what cells take": lambda open_: open_.expected(LINE),
    }
    for what, question in questions.items():

        def once(question: Callable[[memory.Memory], object] = question) -> None:
            with memory.opened(path, None) as open_:
                question(open_)

        timed(what, once)


if __name__ == "__main__":
    main()
