"""What is seen of what somebody saves, and what is run for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from djhop.commands import watching as command
from djhop.desk import watching
from djhop.errors import UsageError
from djhop.results.owners import Failure
from djhop.results.paths import Owner
from djhop.results.results import CellResult
from djhop.results.results import Test as Case
from djhop.target.target import Suite

PYTEST = Suite(kind="pytest", argv=("pytest", "tests"))


def after(*cases: Case, **more: object) -> CellResult:
    return CellResult(
        id="py3.12-django5.2", django="5.2", python="3.12", status="failed", tests=cases, **more
    )  # type: ignore[arg-type]


def bad(name: str) -> Case:
    return Case(id=name, strict="failed", plain="failed")


def test_what_editors_put_beside_a_file_is_not_seen(tmp_path: Path) -> None:
    names = ("a.py", "a.py~", ".a.py.swp", "4913", ".#a.py", "gone.py")
    for name in names[:-1]:
        (tmp_path / name).touch()
    assert list(watching.snapshot(tmp_path, names)) == ["a.py"]


@pytest.fixture
def saving(tmp_path: Path) -> Callable[..., tuple[tuple[str, ...], int]]:
    """Wait for what is saved: at each look, what one of these does."""

    def go(*saves: Callable[[], object]) -> tuple[tuple[str, ...], int]:
        (tmp_path / "a.py").write_text("one")
        seen = watching.snapshot(tmp_path, ["a.py"])
        looks = 0

        def sleep(_: float) -> None:
            nonlocal looks
            if looks < len(saves):
                saves[looks]()
            looks += 1
            assert looks < 40, "it waits for ever"

        def names() -> list[str]:
            return [path.name for path in tmp_path.iterdir()]

        return watching.wait(tmp_path, seen, names, sleep), looks

    return go


def test_a_change_is_told_when_nothing_changes_any_more(
    saving: Callable[..., tuple[tuple[str, ...], int]], tmp_path: Path
) -> None:
    def nothing() -> None:
        pass

    def save(text: str) -> Callable[[], object]:
        return lambda: (tmp_path / "a.py").write_text(text)

    names, looks = saving(nothing, save("three"), save("fours"), save("fifths"), nothing)
    assert names == ("a.py",)
    assert looks == 5  # the one after the last change sees that it is over


def test_new_and_removed_files_are_changes(
    saving: Callable[..., tuple[tuple[str, ...], int]], tmp_path: Path
) -> None:
    assert saving((tmp_path / "a.py").unlink)[0] == ("a.py",)
    names, looks = saving((tmp_path / "new.py").touch)
    assert (names, looks <= watching.LISTED + 1) == (("new.py",), True)


def test_what_failed_is_run_again_and_nothing_else() -> None:
    red = after(bad("tests/test_a.py::test_x"), Case(id="tests/test_a.py::test_y", plain="passed"))
    assert watching.narrowed(PYTEST, ("tests/test_a.py", "-k", "x"), red) == (
        *("-k", "x"),
        "tests/test_a.py::test_x",
    )


WHY = Failure(exception="ImportError", message="no", owner=Owner(kind="project"))


@pytest.mark.parametrize(
    ("suite", "result"),
    [
        (PYTEST, after(Case(id="tests/test_a.py::test_y", strict="failed", plain="passed"))),
        (PYTEST, after(bad("t.py::a"), bad("t2.py"), failures=(("t2.py", WHY),))),
        (PYTEST, after(*(bad(f"t.py::test_{n}") for n in range(watching.MOST + 1)))),
        (Suite(kind="pytest", argv=("pytest",), working_directory="src"), after(bad("t.py::a"))),
        (Suite(kind="command", argv=("make",), junit="x.xml"), after(bad("t.py::a"))),
    ],
    ids=["green", "dead module", "too many", "elsewhere", "command"],
)
def test_all_of_it_is_run_where_what_failed_cannot_be_named(
    suite: Suite, result: CellResult
) -> None:
    assert watching.narrowed(suite, ("tests",), result) == ("tests",)


@pytest.mark.parametrize("name", command.ELSE)
def test_a_hop_that_is_watched_can_be_asked_for_nothing_else(name: str) -> None:
    given = {**dict.fromkeys(command.ELSE), name: True}
    with pytest.raises(UsageError, match=f"--watch and {command.ELSE[name]} exclude each other"):
        command.watch((), given, lambda *_: None)  # type: ignore[arg-type,return-value]
