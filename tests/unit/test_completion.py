"""What a shell is offered: of real run folders, and nothing that a shell would act on."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from djhop import cli, completion
from djhop.arguments import completing
from djhop.matrix.plan import Cell, Hop, Plan
from djhop.results.results import CellResult
from djhop.results.results import Test as Case
from djhop.store import store
from djhop.store.record import Run, RunMatrix, RunTarget
from djhop.store.store import RunFolder

OLD, NEW = Cell(django="4.2", python="3.12"), Cell(django="5.2", python="3.12")
HOP = Hop(before=OLD, after=NEW, axis="django")
PLAN = Plan(cells=(OLD, NEW), path=(OLD, NEW), hops=(HOP,))
IDS = ("tests/test_a.py::test_x[1]", "tests/test_a.py::test_y", "tests/test_b.py::K::test_z")


def write(out: Path, name: str, *ids: str) -> RunFolder:
    folder = store.create(out, name, now=datetime.datetime(2026, 11, 21, tzinfo=datetime.UTC))
    folder.write_run(
        Run(
            name=folder.name,
            target=RunTarget(name="shop"),
            matrix=RunMatrix(),
            started="2026-11-21T00:00:00Z",
            plan=PLAN,
        )
    )
    for cell, tests in ((OLD, ids[:1]), (NEW, ids)):
        folder.write_cell(
            CellResult(
                id=cell.id,
                django=cell.django,
                python=cell.python,
                status="passed",
                tests=tuple(Case(id=name, plain="passed") for name in tests),
            )
        )
    store.mark_latest(folder)
    return folder


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "reports", "one")
    write(tmp_path / "reports", "two", *IDS)
    return tmp_path


def offered(*words: str) -> list[str]:
    """What is offered for the last of these words."""
    asking = ShellComplete(cli.cli, {}, "djhop", completing.VARIABLE)
    return [item.value for item in asking.get_completions(list(words[:-1]), words[-1])]


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (("exec", ""), [OLD.id, NEW.id]),
        (("shell", "py3.12-django5"), [NEW.id]),
        (("exec", "--run", "20261121-000000-one", "py"), [OLD.id, NEW.id]),
        (("hop", "5.2", "4."), ["4.0", "4.1", "4.2"]),
        (("run", "--cells", "py3.12-django4"), [OLD.id]),
        (("report", ""), ["latest", "20261121-000000-two", "20261121-000000-one"]),
        (("diff", "latest", "20261121-000000-o"), ["20261121-000000-one"]),
        (("open", "l"), ["latest"]),
        (("bisect", "--hop", "py"), [HOP.id]),
        (("peel", "--cell", "py3.12-django5"), [NEW.id]),
        (("completion", "z"), ["zsh"]),
        (("exec", "--out", "elsewhere", ""), []),
    ],
)
def test_runs_cells_hops_and_series(words: tuple[str, ...], values: list[str], here: Path) -> None:
    assert offered(*words) == values


def asked(monkeypatch: pytest.MonkeyPatch, shell: str, words: str, at: object) -> list[str] | None:
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(at))
    said = completing.of_tests({completing.VARIABLE: f"{shell}_complete"})
    return None if said is None else said.split()


def test_what_follows_the_dashes_is_a_test(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked(monkeypatch, "fish", "djhop hop 4.2 5.2 -- tests/test_b", "tests/test_b") == [
        f"plain,{IDS[2]}"
    ]
    assert asked(monkeypatch, "fish", "djhop hop 4.2 5.2", "5.2") is None
    here.joinpath("reports").rename("elsewhere")
    words = "djhop run --out elsewhere -- tests/test_b"
    assert asked(monkeypatch, "fish", words, "tests/test_b") == [f"plain,{IDS[2]}"]
    words = "djhop run --out=elsewhere -- tests/test_b"
    assert asked(monkeypatch, "fish", words, "tests/test_b") == [f"plain,{IDS[2]}"]
    assert asked(monkeypatch, "fish", "djhop run -- tests/test_b", "tests/test_b") == []


@pytest.mark.parametrize(
    ("words", "at", "values"),
    [
        ("djhop hop 4.2 5.2 -- tests/test_a", 5, list(IDS[:2])),
        ("djhop hop 4.2 5.2 -- tests/test_a.py ::", 6, ["test_x[1]", "test_y"]),
        ("djhop hop 4.2 5.2 -- tests/test_a.py :: test_y", 7, ["test_y"]),
        ("djhop hop 4.2 5.2 -- -x tests/test_b.py :: K :: te", 10, ["test_z"]),
    ],
)
def test_bash_splits_at_colons(
    words: str, at: int, values: list[str], here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert asked(monkeypatch, "bash", words, at) == [f"plain,{value}" for value in values]


def test_of_many_tests_the_next_part_is_offered(here: Path) -> None:
    out = here / "many"
    write(out, "many", *(f"tests/test_{n % 2}.py::K::test_{n}" for n in range(200)))
    assert completion.tests(out, "tests/") == ["tests/test_0.py", "tests/test_1.py"]
    assert completion.tests(out, "tests/test_0.py") == ["tests/test_0.py::K"]
    assert len(completion.tests(out, "tests/test_0.py::K::test_1")) == 55
    write(out, "labels", *(f"shop.tests.K{n % 2}.test_{n}" for n in range(200)))
    assert completion.tests(out, "shop.tests.") == ["shop.tests.K0", "shop.tests.K1"]


@pytest.mark.parametrize("name", ["t[$(rm -rf x)]", "t;ls", "t`id`", "-rf", "t\nu", "t u", "t'u"])
def test_nothing_is_offered_that_a_shell_would_act_on(name: str, here: Path) -> None:
    write(here / "bad", "bad", name, "fine")
    assert completion.tests(here / "bad", "") == ["fine"]


def test_runs_that_are_damaged_or_not_there_offer_nothing(tmp_path: Path) -> None:
    assert completion.runs(tmp_path) == completion.tests(tmp_path, "") == []
    folder = write(tmp_path, "bad", *IDS)
    folder.run.write_text("{")
    folder.cell(NEW.id).result.write_bytes(b"\xff" * 5000)
    assert completion.hops(tmp_path, "latest") == completion.tests(tmp_path, "") == []
    assert completion.cells(tmp_path, "20261121") == [OLD.id, NEW.id]


@pytest.mark.parametrize("shell", completing.SHELLS)
def test_each_shell_has_a_script(shell: str) -> None:
    assert f"{completing.VARIABLE}={shell}_complete" in completing.script(shell)
