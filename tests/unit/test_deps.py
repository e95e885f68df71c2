"""`djhop deps`: what is kept, what is said in words and as commands, and the exit code."""

from __future__ import annotations

import json
import os
from pathlib import Path

import jsonschema
import msgspec
import pytest

from djhop import superseded
from djhop.deps import keeping
from djhop.deps.answers import Declared, Deps, First, HopDeps, State, exit_code
from djhop.errors import ExitCode
from djhop.processes.process import Spawner
from djhop.reports import deps as report
from djhop.resolve import asking
from djhop.resolve.blockers import Blocker
from djhop.resolve.moves import Move, moves
from djhop.resolve.order import Order, Step
from djhop.resolve.request import Request
from djhop.store import schemas
from djhop.target.target import Place, Section

ACCEPTING = bool(os.environ.get("DJHOP_ACCEPT"))  # now: tests run in a clean environment
SCHEMA = Path(__file__).parents[2] / "docs" / "schema" / "deps.schema.json"
ACCEPT = "DJHOP_ACCEPT=1 python -m pytest tests/unit/test_deps.py"
GOLDEN = Path(__file__).parent / "golden" / "deps.txt"


def move(package: str, before: str, after: str, why: str = "") -> Move:
    (found,) = moves({package: before}, {package: after}, {package: why})
    return found


FIRST = First(cell="py3.9-django3.2", state="open")
DJANGO = move("django", "3.2.25", "4.2.30")
ORDER = Order(
    today=(
        Step(
            moves=(move("celery", "5.0.5", "5.2.3", "beat >=2.3 requires celery>=5.2.3"),),
            along=(move("click", "7.1.2", "8.0.3"),),
        ),
        Step(moves=(move("a", "1", "2"), move("b", "1", "1.5"))),
        Step(moves=(move("hidden", "1", "2"),)),
    ),
    hop=(DJANGO, move("django-filter", "2.4.0", "22.1", "django-filter 2.4.0 requires django<4")),
    because={"django-filter": "django-filter 22.1 requires django>=4"},
)


def hop(state: State = "open", **more: object) -> HopDeps:
    given = {
        "before": "py3.9-django3.2",
        "after": "py3.9-django4.2",
        "axis": "django",
        "django": ("3.2.25", "4.2.30"),
        "python": ("3.9", "3.9"),
        "state": state,
        **more,
    }
    return HopDeps(**given)  # type: ignore[arg-type]


PYTHON = hop(
    before="py3.9-django4.2",
    after="py3.10-django4.2",
    axis="python",
    django=("4.2.30", "4.2.30"),
    python=("3.9", "3.10"),
    built=("pillow 8.3.1",),
)
BLOCKED = hop(
    "forced",
    before="py3.10-django4.2",
    after="py3.10-django5.2",
    django=("4.2.30", "5.2.19"),
    python=("3.10", "3.10"),
    order=Order(hop=(move("django", "4.2.30", "5.2.19"),)),
    blockers=(
        Blocker(
            package="stuck",
            version="1.0",
            constraint="django<5",
            chain=("shop>=1", "stuck==1.0", "django<5"),
            first_allowing="",
        ),
    ),
)

LATER = {"django": ("5.2.19", "6.0.1"), "before": "py3.12-django5.2", "after": "py3.12-django6.0"}


def answer(*hops: HopDeps, **more: object) -> Deps:
    given = {
        "target": "shop",
        "root": "/shop",
        "path": (FIRST.cell, *(one.after for one in hops)),
        "first": FIRST,
        "requirements": {n: n for n in ("a", "b", "django-filter")} | {"celery": "celery[redis]"},
        "hops": hops,
        **more,
    }
    return Deps(**given)  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------ in words


def test_a_stranger_sees_what_moves_when_and_why() -> None:
    text = report.text(answer(hop(order=ORDER), PYTHON, BLOCKED))
    assert max(map(len, text.splitlines())) <= 80
    if ACCEPTING:
        GOLDEN.write_text(text, "utf-8")
    assert text == GOLDEN.read_text("utf-8"), f"to accept: {ACCEPT}"


def test_what_releases_declare_is_told_in_words() -> None:
    def said(package: str, says: str, *series: str, **more: object) -> Declared:
        given = {"package": package, "version": "2", "says": says, "series": series, **more}
        return Declared(**given)  # type: ignore[arg-type]

    old = {"before": "1", "said": "others", "before_series": ("2.2", "3.1")}
    says = (
        said("good", "support", "4.2", requires_python=">=3.8", **old),
        said("also", "support", "4.2"),
        said("old", "others", "3.1", "2.2", before="1", said="none"),
        said("young", "others", "5.2", "5.1"),
        said("holes", "others", "5.0", "4.1", "3.2"),
        said("odd", "others", "4.x"),
        said("mute", "none"),
        said("left", "unknown", newest="1.1", newest_uploaded="2021-03-04", last_before=True),
    )
    lines = [line.strip() for line in report.text(answer(hop(declared=says))).splitlines()]
    at = lines.index("Declared for Django 4.2: by 2 of 8 packages")
    assert lines[at + 1 : at + 9] == [
        "yes: good 2 (Python >=3.8; before, 1: up to 3.1), also 2",
        "4.1 and 5.0: holes 2",
        "from 5.1: young 2",
        "no series: mute 2",
        "not known: left 2",
        "other series: odd 2",
        "up to 3.1: old 2 (before, 1: no series)",
        "last release before Django 4.2: left 1.1 (2021-03-04)",
    ]


def test_what_comes_and_goes_is_told_apart_from_what_moves() -> None:
    along = moves({"a": "1", "b": "1", "gone": "3"}, {"a": "2", "b": "3", "x": "1", "y": "2"}, {})
    text = report.text(answer(hop(order=Order(along=along))))
    assert "along with it: a 1 → 2, b 1 → 3; new: x 1, y 2; gone: gone 3\n" in text


def test_the_own_requirement_stands_under_the_first_hop_that_it_rules_out() -> None:
    own = {"django_requirement": "Django>=3.2,<5", "django_requirement_place": "setup.cfg x"}
    lines = report.text(answer(hop(), PYTHON, BLOCKED, hop(**LATER), **own)).splitlines()
    told = [at for at, line in enumerate(lines) if "Django>=3.2,<5" in line]
    assert [lines[at] for at in told] == [
        "   Has to allow Django 5.2: Django>=3.2,<5 (setup.cfg x)"
    ]
    assert "3. Django" in [line for line in lines[: told[0]] if line[:1].isdigit()][-1]
    own["django_requirement"] = "Django"
    assert "Has to allow" not in report.text(answer(hop(), PYTHON, BLOCKED, **own))


@pytest.mark.parametrize("width", [20, 60, 80, 100, 200])
def test_lines_fit_the_terminal(width: int) -> None:
    text = report.text(
        answer(hop(order=ORDER), PYTHON, BLOCKED, notes=("word " * 60,)), width=width
    )
    widest = max(len(line) for line in text.splitlines())
    assert min(max(width, 60), 100) - 6 < widest <= min(max(width, 60), 100)


@pytest.mark.parametrize("manager", ["uv", "pipenv"])
@pytest.mark.parametrize("order", [ORDER, Order()])
def test_the_next_step_names_the_tool_of_the_project(manager: str, order: Order) -> None:
    text = report.text(answer(hop(order=order), manager=manager))
    assert f"`djhop deps --emit {manager}`" in text


def test_what_django_has_taken_over_stands_under_its_hop() -> None:
    rows = superseded.between({"django-model-utils"}, "2.2", "3.2")
    text = report.text(answer(hop(superseded=rows)))
    assert "Django has it now: django-model-utils (Choices) → TextChoices" in text
    assert "docs.djangoproject.com/en/stable/releases/3.0/#enumerations" in text


def test_a_cell_without_a_lock_says_why_and_what_to_type() -> None:
    text = report.text(answer(hop("unknown", reason="no Python 3.9", hint="djhop plan")))
    assert "? not known" in text
    assert "   no Python 3.9\n   djhop plan\n" in text
    assert "nothing has to move" not in text


def test_where_today_does_not_install_the_pins_are_what_moves() -> None:
    first = First(cell="py3.9-django3.2", state="none", reason="old 1 cannot be built")
    moved = Order(hop=(move("old", "1", "2"),))
    text = report.text(answer(hop(stands=False, order=moved), first=first))
    assert "old 1 cannot be built" in text
    assert "as there is nothing to start from" in text


def test_control_characters_of_a_target_do_not_reach_the_terminal() -> None:
    bad = move("a\x1b[2Jb", "1", "2", "why\x07\u202e")
    text = report.text(answer(hop(order=Order(hop=(bad,))), target="x\x1b[31m"))
    assert not {"\x1b", "\x07", "\u202e"} & set(text)
    assert "\x1b" not in report.as_json(answer(target="x\x1b[31m"))


def test_json_is_the_whole_answer() -> None:
    whole = answer(hop(order=ORDER), BLOCKED)
    data = json.loads(report.as_json(whole))
    assert data["format"] == 1
    assert msgspec.convert(data, Deps) == whole


def test_published_schema_is_that_of_the_types() -> None:
    made = schemas.text(Deps)
    if ACCEPTING:
        SCHEMA.write_bytes(made)
    assert SCHEMA.read_bytes() == made, f"the types changed; to accept: {ACCEPT}"


def test_what_is_printed_fits_the_schema() -> None:
    schema = json.loads(SCHEMA.read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    place = Place(path="pyproject.toml", part="group dev", section=Section(keeper="project"))
    whole = answer(hop(order=ORDER), PYTHON, BLOCKED, places={"celery": (place,)})
    jsonschema.validate(json.loads(report.as_json(whole)), schema)


# ------------------------------------------------------------------------------------ exit code


@pytest.mark.parametrize(
    ("states", "code"),
    [
        (("open", "open"), ExitCode.OK),
        (("open", "forced"), ExitCode.BLOCKED),
        (("none", "open"), ExitCode.BLOCKED),
        (("open", "unknown"), ExitCode.INCOMPLETE),
        (("forced", "unknown"), ExitCode.BLOCKED),
    ],
)
def test_the_exit_code_is_that_of_the_worst_cell(
    states: tuple[State, State], code: ExitCode
) -> None:
    first, after = states
    given = First(cell="py3.9-django3.2", state=first)
    assert exit_code(answer(hop(after), first=given)) == code


# ----------------------------------------------------------------------------------- what is kept


def site(cache: Path, **more: bool) -> keeping.Site:
    env = {"UV_INDEX_MINE_PASSWORD": "s3cret"}
    return keeping.Site(
        spawner=Spawner(), uv="/bin/uv", uv_version="1", env=env, cache=cache, **more
    )


def asked(**more: object) -> Request:
    given = {"django": "4.2", "python": "3.9", "interpreter_path": "/opt/python", **more}
    return Request(**given)  # type: ignore[arg-type]


def test_an_answer_is_made_once_and_kept(tmp_path: Path) -> None:
    made: list[int] = []

    def make() -> Order:
        made.append(1)
        return ORDER

    for _ in range(2):
        assert keeping.kept(site(tmp_path), "key", Order, make, asked()) == ORDER
    assert len(made) == 1
    keeping.kept(site(tmp_path), "another", Order, make, asked())
    keeping.kept(site(tmp_path, fresh=True), "key", Order, make, asked())
    assert len(made) == 3


def test_an_old_answer_is_made_again_but_for_a_dated_or_offline_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeping.kept(site(tmp_path), "key", Order, lambda: ORDER, asked())
    now = keeping.time.time()
    monkeypatch.setattr(keeping.time, "time", lambda: now + 2 * 24 * 3600)

    def kept(request: Request, **more: bool) -> Order:
        return keeping.kept(site(tmp_path, **more), "key", Order, Order, request)

    assert kept(asked(exclude_newer="2024-05-01")) == ORDER
    assert kept(asked(), offline=True) == ORDER
    assert kept(asked()) == Order()


def test_a_damaged_answer_is_made_again(tmp_path: Path) -> None:
    keeping.kept(site(tmp_path), "key", Order, lambda: ORDER, asked())
    (path,) = (tmp_path / "deps").iterdir()
    path.write_bytes(path.read_bytes()[:40])
    assert keeping.kept(site(tmp_path), "key", Order, Order, asked()) == Order()


def test_passwords_are_known_as_secrets(tmp_path: Path) -> None:
    here = site(tmp_path)
    place = asking.Site(
        spawner=here.spawner,
        uv=here.uv,
        env=dict(here.env),
        cwd=str(tmp_path),
        folder=tmp_path,
        offline=False,
        sleep=lambda _: None,
    )
    assert place.secrets == ("s3cret",)
