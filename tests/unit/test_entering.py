"""Which cell a word means, and which shell is opened in it."""

from __future__ import annotations

import sys

import pytest

from djhop import entering
from djhop.errors import UsageError
from djhop.matrix.plan import Cell, Plan

A, B, C = (
    Cell(django=django, python=python)
    for django, python in (("4.2", "3.10"), ("5.2", "3.10"), ("5.2", "3.12"))
)
PLAN = Plan(cells=(A, B, C), path=(A, B, C), hops=())
# One id begins as another one is called.
MORE = Plan(cells=(Cell(django="5", python="3.1"), *PLAN.cells), path=(), hops=())


@pytest.mark.parametrize(
    ("word", "cell"),
    [("py3.12-django5.2", C), ("py3.12", C), ("py3.10-django5", B), ("django4.2", A)],
)
def test_a_cell_is_named_by_its_id_its_beginning_or_a_factor(word: str, cell: Cell) -> None:
    assert entering.choose(word, PLAN) == cell


def test_a_whole_id_is_that_cell_though_others_begin_so() -> None:
    assert entering.choose("py3.1-django5", MORE) == MORE.cells[0]


@pytest.mark.parametrize(
    ("word", "what", "hint"),
    [
        ("py3.10", "'py3.10' may be 2 cells", f"{A.id}, {B.id}"),
        ("django5.2", "'django5.2' may be 2 cells", f"{B.id}, {C.id}"),
        ("py3.9", "no cell 'py3.9' in this run", f"its cells: {A.id}, {B.id}, {C.id}"),
        ("", "no cell '' in this run", f"its cells: {A.id}, {B.id}, {C.id}"),
    ],
)
def test_what_names_no_one_cell_is_said_with_the_candidates(
    word: str, what: str, hint: str
) -> None:
    with pytest.raises(UsageError) as caught:
        entering.choose(word, PLAN)
    assert (str(caught.value), caught.value.hint) == (what, hint)


def test_the_users_own_shell_is_opened_where_it_is_there() -> None:
    assert entering.shell((sys.executable,)) == (sys.executable,)
    assert entering.shell(("", "/nowhere/zsh")) == ("/bin/sh",)
