"""What `djhop deps` puts together of locks: the way from today, and blockers that stay."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_uv import asked, lock_of

from djhop import releases
from djhop.declared.book import Book
from djhop.deps import emit, keeping, looking
from djhop.deps.answers import Deps
from djhop.deps.asked import Asked
from djhop.interpreters.interpreters import Interpreter
from djhop.matrix.config import Matrix
from djhop.matrix.plan import Cell, Hop, Plan
from djhop.processes.process import Spawner
from djhop.reports import deps as report
from djhop.resolve import outcome
from djhop.resolve.blockers import Blocker
from djhop.resolve.ladder import Climb
from djhop.resolve.locks import Lock, Unresolvable
from djhop.resolve.order import Order
from djhop.resolve.request import Policy
from djhop.resolve.staying import today
from djhop.target.collecting import Source
from djhop.target.target import Target

CELLS = (
    Cell(django="4.2", python="3.11"),
    Cell(django="4.2", python="3.12"),
    Cell(django="5.2", python="3.12"),
)
PLAN = Plan(
    cells=CELLS,
    path=CELLS,
    hops=(
        Hop(before=CELLS[0], after=CELLS[1], axis="python"),
        Hop(before=CELLS[1], after=CELLS[2], axis="django"),
    ),
)
PINS = ("django==4.2.11", "beat==2.2", "idle==1", "six==1.16")


def look(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    locks: dict[Cell, Lock | Unresolvable],
    policy: Policy = "minimal",
    pins: tuple[str, ...] = PINS,
) -> Deps:
    """Look at a shop, whose cells have these locks."""

    class Told(Asked):
        def make_locks(self) -> None:
            self.answers.update(locks)

        def order(self, hop: Hop) -> Order | None:
            return Order()

        def book(self) -> Book:
            return Book()

    monkeypatch.setattr(looking, "Asked", Told)
    source = Source(path="uv.lock", kind="lock", requirements=("django>=4", "beat>=2"), pins=pins)
    return looking.look(
        PLAN,
        target=Target(root=str(tmp_path), name="shop", sources=(source,)),
        matrix=Matrix(policy=policy),
        found={
            p: Interpreter(python=p, release=f"{p}.1", path=f"/{p}", source="PATH", key=p)
            for p in ("3.11", "3.12")
        },
        releases=releases.load(),
        site=keeping.Site(spawner=Spawner(), uv="/uv", uv_version="1", env={}, cache=tmp_path),
    )


def locks(*pins: str, **why: str) -> dict[Cell, Lock | Unresolvable]:
    made = Lock(pins=pins, django_release=pins[0].partition("==")[2], moves_why=why)
    return dict.fromkeys(CELLS, made)


def test_the_patch_of_todays_series_is_the_first_move(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = locks("django==4.2.30", "beat==2.2", "six==1.17", six="x 1 requires six>=1.17")
    deps = look(tmp_path, monkeypatch, made)
    # What the lock does not hold belongs to another group of the lock file.
    assert [(m.package, m.before, m.after, m.why) for m in deps.first.moves] == [
        ("django", "4.2.11", "4.2.30", "the newest release of Django 4.2"),
        ("six", "1.16", "1.17", "x 1 requires six>=1.17"),
    ]
    lines = report.text(deps).splitlines()
    at = lines.index("   First, from what the project has today")
    assert lines[at + 1].split() == ["django", "4.2.11", "→", "4.2.30"]
    # "4.2.*" would keep the patch that is there.
    assert "django==4.2.30" in emit.text(deps, "pip")


def test_what_is_as_today_needs_no_first_move(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deps = look(tmp_path, monkeypatch, locks("django==4.2.11", "beat==2.2", "six==1.16"))
    assert deps.first.moves == ()
    assert "Nothing has to move." in report.text(deps)


def test_where_nothing_can_be_installed_no_run_is_advised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = Unresolvable(kind="missing", reason="nosuch is not on the index")
    told = report.text(look(tmp_path, monkeypatch, dict.fromkeys(CELLS, missing)))
    assert "Next: clear what is in the way of" in told
    assert "djhop run" not in told


def test_a_path_that_starts_below_today_does_not_go_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pins = ("django==5.0.1", "six==1.16")
    deps = look(tmp_path, monkeypatch, locks("django==4.2.30", "six==1.16"), pins=pins)
    assert deps.first.moves == ()


def test_under_latest_the_jump_of_today_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = asked("django>=4", "beat>=2", pins=PINS, policy="latest", django="4.2")
    found = lock_of("django==4.2.30", "beat==2.9", "six==1.17")
    first = outcome.finished(found, Climb(), request, None)
    assert first.moves_why == {"beat": outcome.LATEST, "six": outcome.LATEST}
    deps = look(tmp_path, monkeypatch, dict.fromkeys(CELLS, first), "latest")
    said = " ".join(report.text(deps).split())
    assert f"{outcome.LATEST}: beat 2.2 → 2.9, six 1.16 → 1.17" in said
    assert deps.notes[-1] == looking.POLICIES["latest"]
    assert "beat==2.9" in emit.text(deps, "pip")


def test_today_is_what_lock_file_and_exact_pins_have() -> None:
    request = asked(
        "django==4.2.1", "six==1.16 ; python_version < '3'", "url @ https://e.org/u.zip", "beat>=2",
        pins=("beat==2.2", "old==1 ; python_version < '3'"),
    )  # fmt: skip
    assert today(request) == {"beat": "2.2", "django": "4.2.1"}


def test_a_blocker_that_stood_before_is_said_to_stand_still(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through a hop of Python, which has nothing to do with it; a new cap is told as new."""
    beat = Blocker(package="beat", version="2.2", constraint="django<4")
    other = Blocker(package="six", version="1.16", constraint="django<5")
    made = {
        cell: Lock(pins=("django==4.2.30",), django_release="4.2.30", forced=True, blockers=found)
        for cell, found in zip(CELLS, ((beat,), (beat,), (beat, other)), strict=True)
    }
    deps = look(tmp_path, monkeypatch, dict[Cell, Lock | Unresolvable](made))
    assert [hop.still for hop in deps.hops] == [("beat",), ("beat",)]
    lines = [line.strip() for line in report.text(deps).splitlines() if "blocked:" in line]
    assert lines == [
        *["still blocked: beat 2.2 requires django<4"] * 2,
        "blocked: six 1.16 requires django<5",
    ]


def test_another_constraint_of_the_same_package_is_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: dict[Cell, Lock | Unresolvable] = {
        cell: Unresolvable(kind="conflict", reason="r", blockers=(blocker,))
        for cell, blocker in zip(
            CELLS,
            (Blocker(package="beat", version="2", constraint=f"django<{n}") for n in (4, 5, 5)),
            strict=True,
        )
    }
    assert [hop.still for hop in look(tmp_path, monkeypatch, made).hops] == [(), ("beat",)]
