"""`djhop deps --emit`: the commands of each tool, and what no command can write."""

from __future__ import annotations

import shlex

import msgspec
import pytest

from djhop.deps import emit
from djhop.deps.answers import Deps, First, HopDeps
from djhop.resolve.blockers import Blocker
from djhop.resolve.moves import Move, moves
from djhop.resolve.order import Order, Step
from djhop.target.target import Manager, Place, Section

NAMES = ("django", "celery", "a", "b", "django-filter", "pytest", "redis")


def move(package: str, before: str, after: str) -> Move:
    (found,) = moves({package: before}, {package: after}, {})
    return found


DJANGO = move("django", "3.2.25", "4.2.30")
ORDER = Order(
    today=(
        Step(moves=(move("celery", "5.0.5", "5.2.3"),)),
        Step(moves=(move("a", "1", "2"), move("b", "1", "1.5"))),
        Step(moves=(move("hidden", "1", "2"),)),
    ),
    hop=(DJANGO, move("django-filter", "2.4.0", "22.1")),
)


def hop(order: Order, **more: object) -> HopDeps:
    given = {
        "before": "py3.9-django3.2",
        "after": "py3.9-django4.2",
        "axis": "django",
        "django": ("3.2.25", "4.2.30"),
        "python": ("3.9", "3.9"),
        "state": "open",
        "order": order,
        **more,
    }
    return HopDeps(**given)  # type: ignore[arg-type]


PYTHON = hop(Order(), axis="python", python=("3.9", "3.10"))
BLOCKER = Blocker(
    package="stuck",
    version="1.0",
    constraint="django<5",
    chain=("shop>=1", "stuck==1.0", "django<5"),
    first_allowing="",
)
BLOCKED = hop(Order(hop=(move("django", "4.2.30", "5.2.19"),)), state="forced", blockers=(BLOCKER,))


def kept(keeper: str, path: str = "pyproject.toml", **more: str) -> Place:
    return Place(path=path, part="x", section=Section(keeper=keeper, **more))  # type: ignore[arg-type]


def answer(*hops: HopDeps, places: dict[str, tuple[Place, ...]], **more: object) -> Deps:
    given = {
        "target": "shop",
        "root": "/shop",
        "path": ("py3.9-django3.2", *(one.after for one in hops)),
        "first": First(cell="py3.9-django3.2", state="open"),
        "requirements": {n: n for n in places} | {"celery": "celery[redis]"},
        "places": places,
        "hops": hops,
        **more,
    }
    return Deps(**given)  # type: ignore[arg-type]


def everywhere(*places: Place) -> dict[str, tuple[Place, ...]]:
    return dict.fromkeys(NAMES, places)


def commands(deps: Deps, tool: Manager) -> list[str]:
    """What a shell would run, after the line that makes it stop at the first error."""
    first, *rest = [
        line for line in emit.text(deps, tool).splitlines() if line[:1] not in {"#", ""}
    ]
    assert first == "set -e"
    return rest


WHOLE: list[tuple[Manager, list[str]]] = [
    (
        "uv",
        [
            "uv add 'celery[redis]==5.2.3'",
            "uv add a==2 b==1.5",
            "uv lock --upgrade-package hidden==2",
            "uv add 'django==4.2.*' django-filter==22.1",
            "uv python pin 3.10",
        ],
    ),
    (
        "poetry",
        [
            "poetry add 'celery[redis]==5.2.3'",
            "poetry add a==2 b==1.5",
            "poetry update hidden",
            "poetry add 'django==4.2.*' django-filter==22.1",
            "poetry env use 3.10",
        ],
    ),
    (
        "pdm",
        [
            "pdm add 'celery[redis]==5.2.3'",
            "pdm add a==2 b==1.5",
            "pdm update hidden",
            "pdm add 'django==4.2.*' django-filter==22.1",
            "pdm use 3.10",
        ],
    ),
    (
        "pipenv",
        [
            "pipenv install 'celery[redis]==5.2.3'",
            "pipenv install a==2 b==1.5",
            "pipenv upgrade hidden==2",
            "pipenv install 'django==4.2.*' django-filter==22.1",
            "pipenv --python 3.10",
        ],
    ),
]


@pytest.mark.parametrize(("tool", "wanted"), WHOLE)
def test_each_step_is_one_command_and_the_hop_another(tool: Manager, wanted: list[str]) -> None:
    deps = answer(hop(ORDER), PYTHON, BLOCKED, places=everywhere(kept(tool)))
    assert commands(deps, tool) == wanted
    text = emit.text(deps, tool)
    assert "# Django 3.2.25 to 4.2.30" in text
    # A solver refuses what metadata forbids.
    assert "# blocked: stuck 1.0 requires django<5" in text
    assert "\n# refused: " in text
    assert "by hand" not in text


@pytest.mark.parametrize("tool", ["uv", "poetry", "pdm"])
def test_what_the_standards_say_is_written_by_every_tool_that_keeps_to_them(tool: Manager) -> None:
    deps = answer(hop(ORDER), places=everywhere(kept("project")))
    assert commands(deps, tool)[0] == f"{tool} add 'celery[redis]==5.2.3'"


SECTIONS: list[tuple[Manager, str, dict[str, str], str]] = [
    ("uv", "project", {"group": "dev"}, "uv add --group dev celery==2"),
    ("uv", "uv", {"group": "dev"}, "uv add --group dev celery==2"),
    ("uv", "project", {"extra": "fast"}, "uv add --optional fast celery==2"),
    ("poetry", "poetry", {"group": "dev"}, "poetry add --group dev celery==2"),
    ("poetry", "poetry", {"extra": "fast"}, "poetry add --optional=fast celery==2"),
    ("pdm", "project", {"group": "dev"}, "pdm add -dG dev celery==2"),
    ("pdm", "project", {"extra": "fast"}, "pdm add -G fast celery==2"),
    ("pipenv", "pipenv", {"group": "dev"}, "pipenv install --dev celery==2"),
]


@pytest.mark.parametrize(("tool", "keeper", "named", "wanted"), SECTIONS)
def test_a_package_is_written_where_it_stands(
    tool: Manager, keeper: str, named: dict[str, str], wanted: str
) -> None:
    step = Order(today=(Step(moves=(move("celery", "1", "2"),)),))
    places = {"celery": (kept(keeper, **named),), "django": (kept(keeper),)}
    deps = answer(hop(step), places=places, requirements={"celery": "celery"})
    assert commands(deps, tool) == [wanted]


BOTH = Order(hop=(DJANGO, move("pytest", "6", "7"), move("redis", "3", "4")))
SPREAD = {
    "django": (kept("project"), kept("project", group="dev")),
    "pytest": (kept("project", group="dev"),),
    "redis": (kept("project", extra="fast"),),
}


@pytest.mark.parametrize(
    ("tool", "wanted"),
    [
        (
            "uv",
            [
                "uv add --frozen 'django==4.2.*'",
                "uv add --frozen --group dev 'django==4.2.*' pytest==7",
                "uv add --optional fast redis==4",
            ],
        ),
        (
            "pdm",
            [
                "pdm add --frozen-lockfile --no-sync 'django==4.2.*'",
                "pdm add --frozen-lockfile --no-sync -dG dev 'django==4.2.*' pytest==7",
                "pdm add -G fast redis==4",
            ],
        ),
        (
            "poetry",
            [
                "poetry add 'django==4.2.*'",
                "poetry add --group dev 'django==4.2.*' pytest==7",
                "poetry add --optional=fast redis==4",
            ],
        ),
    ],
)
def test_one_change_in_several_lists_is_resolved_once(tool: Manager, wanted: list[str]) -> None:
    """uv and pdm can write first; of the others, a comment says what to do."""
    deps = answer(hop(BOTH), places=SPREAD)
    assert commands(deps, tool) == wanted
    assert ("# one change" in emit.text(deps, tool)) == (tool == "poetry")


@pytest.mark.parametrize("tool", ["uv", "poetry", "pdm", "pipenv", "pip"])
def test_no_tool_is_told_to_write_what_it_cannot(tool: Manager) -> None:
    places = {
        "django": (Place(path="setup.py", part="install_requires"), Place(path="reqs/base.in")),
        "celery": (Place(path="reqs/base.in"),),
    }
    order = Order(today=(Step(moves=(move("celery", "1", "2"),)), ORDER.today[2]), hop=(DJANGO,))
    deps = answer(hop(order), PYTHON, places=places, manager="pip")
    install = "uv pip install" if tool == "uv" else "python -m pip install"
    pins = ("'celery[redis]==2'", "hidden==2", "'django==4.2.*'")
    assert commands(deps, tool) == [f"{install} {pin}" for pin in pins]
    lines = emit.text(deps, tool).splitlines()
    assert "# write into reqs/base.in: celery[redis]==2" in lines
    assert "# setup.py install_requires must allow: django==4.2.*" in lines
    assert "# make a new environment with Python 3.10" in lines
    assert "# then compile: `uv pip compile X.in -o X.txt`, or `pip-compile X.in`" in lines
    assert any("write nothing" in line for line in lines) == (tool != "pip")


@pytest.mark.parametrize(
    ("said", "where", "told"),
    [
        ("Django>=2.2", "setup.py install_requires", False),
        ("Django<4", "setup.py install_requires", True),
        # Of a file that djhop has not read it from, nothing is known.
        ("Django>=2.2", "tox.ini", True),
        ("", "", True),
    ],
)
def test_metadata_that_allows_the_series_need_not_change(said: str, where: str, told: bool) -> None:
    places = {"django": (Place(path="setup.py", part="install_requires"),)}
    deps = msgspec.structs.replace(
        answer(hop(ORDER), places=places),
        django_requirement=said,
        django_requirement_place=where,
    )
    lines = emit.text(deps, "pip").splitlines()
    assert ("# setup.py install_requires must allow: django==4.2.*" in lines) == told
    assert "python -m pip install 'django==4.2.*'" in " ".join(lines)


def test_a_blocked_change_by_hand_is_refused_by_its_command_alone() -> None:
    places = {"django": (Place(path="requirements.txt"),)}
    lines = emit.text(answer(BLOCKED, places=places), "pip").splitlines()
    assert lines[-2:] == [
        "# write into requirements.txt: django==5.2.*",
        "# refused: python -m pip install 'django==5.2.*'",
    ]


def test_what_stands_in_a_list_and_in_a_file_is_changed_in_both() -> None:
    places = {"django": (kept("project"), Place(path="requirements.txt"))}
    text = emit.text(answer(hop(Order(hop=(DJANGO,))), places=places), "uv")
    assert "# write into requirements.txt: django==4.2.*\nuv add 'django==4.2.*'\n" in text
    assert "# write by hand what the comments say" in text


def test_what_the_project_does_not_name_is_added_to_its_dependencies() -> None:
    deps = answer(hop(Order(hop=(DJANGO,))), places={"celery": (kept("project", group="dev"),)})
    assert commands(deps, "uv") == ["uv add 'django==4.2.*'"]


def test_what_no_shell_may_see_is_quoted() -> None:
    nasty = Order(hop=(move("a", "1", "2; rm -rf ~"),))
    (line,) = commands(answer(hop(nasty), places=everywhere(kept("uv"))), "uv")
    assert shlex.split(line) == ["uv", "add", "a==2; rm -rf ~"]


@pytest.mark.parametrize("bad", ["first\nrm -rf ~", "first\x1b[2J", "first\rrm -rf ~"])
def test_a_comment_stays_on_its_line_and_steers_no_terminal(bad: str) -> None:
    nasty = hop(Order(), state="none", reason=bad)
    deps = answer(nasty, places={"django": (Place(path=bad),)}, target=bad)
    first = msgspec.structs.replace(deps.first, moves=(move("django", "3.2.1", "3.2.2"),))
    text = emit.text(msgspec.structs.replace(deps, first=first), "pip")
    plain = [line for line in text.split("\n") if line and line[0] != "#"]
    assert plain == ["set -e", "python -m pip install django==3.2.2"]
    assert not {"\x1b", "\r"} & set(text)


def test_what_the_project_has_today_comes_first() -> None:
    deps = answer(hop(ORDER), places=everywhere(kept("uv")))
    first = msgspec.structs.replace(deps.first, moves=(move("a", "1", "1.2"),))
    assert commands(msgspec.structs.replace(deps, first=first), "uv")[0] == "uv add a==1.2"
