"""unmoved: when the index need not be asked again, and what is thrown away; with a scripted uv."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_uv import Script, asked, lock_of, text

from djhop.resolve import resolve
from djhop.resolve.locks import Lock
from djhop.resolve.request import Request
from djhop.resolve.unmoved import SLOW, Pace

BEFORE = lock_of("asgiref==3.7", "django==5.1.9", "six==1.10", via={"six": ("the project",)})
NEWEST = ("asgiref==3.11", "django==5.2.19")
SAME = ("asgiref==3.7", "django==5.2.19", "six==1.10")
WANTED = asked("six", "django<6")


def slow() -> Pace:
    pace = Pace()
    pace.seconds = SLOW + 1
    return pace


def made(
    tmp_path: Path,
    script: Script,
    *,
    wanted: Request = WANTED,
    previous: Lock | None = BEFORE,
    pace: Pace | None = None,
    offline: bool = False,
) -> Lock:
    lock = resolve.resolve(
        wanted,
        previous=previous,
        cache=tmp_path,
        spawner=script,
        uv="/bin/uv",
        uv_env={},
        cwd=str(tmp_path),
        pace=pace or slow(),
        offline=offline,
    )
    assert isinstance(lock, Lock)
    return lock


def offline_ones(script: Script) -> list[bool]:
    return ["--offline" in command.argv for command in script.commands]


def test_only_django_is_asked_for_and_the_rest_is_at_hand(tmp_path: Path) -> None:
    script = Script(NEWEST, SAME)
    lock = made(tmp_path, script)
    assert lock.pins == SAME
    assert lock.notes == (), "what the project says allows it"
    assert (lock.processes, offline_ones(script)) == (2, [False, True])
    assert [name for name in script.commands[0].argv if name.endswith(".in")] == [
        str(Path(script.commands[0].argv[-1]).with_name("django.in"))
    ]
    assert script.files[1]["lock.txt"] == "asgiref==3.7\nsix==1.10\n"


@pytest.mark.parametrize(
    "at_hand",
    [
        pytest.param(("asgiref==3.7", "django==5.2.18", "six==1.10"), id="an older Django"),
        pytest.param(("asgiref==3.11", "django==5.2.19", "six==1.10"), id="another version"),
        pytest.param((*SAME, "tzdata==2025.1"), id="a package more"),
        pytest.param(text("offline"), id="something is lacking"),
        pytest.param(text("capped"), id="a pin in the way"),
    ],
)
def test_what_may_be_for_want_of_something_is_thrown_away(
    tmp_path: Path, at_hand: str | tuple[str, ...]
) -> None:
    script = Script(NEWEST, at_hand, ("django==5.2.19", "six==1.10"))
    lock = made(tmp_path, script)
    assert lock.pins == ("django==5.2.19", "six==1.10")
    assert (lock.processes, offline_ones(script)) == (3, [False, True, False])


def test_a_package_less_is_no_reason_to_ask_again(tmp_path: Path) -> None:
    script = Script(NEWEST, SAME[:2])
    assert made(tmp_path, script).pins == SAME[:2]


def test_without_such_a_django_the_index_says_why(tmp_path: Path) -> None:
    script = Script(text("no-series"), ("django==5.2.19",))
    assert made(tmp_path, script).processes == 2


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"pace": Pace()}, id="the index is quick"),
        pytest.param({"previous": None}, id="the first cell"),
        pytest.param({"previous": lock_of("django==5.2.19")}, id="another Python"),
        pytest.param({"wanted": asked("six @ https://h/six.zip")}, id="a URL"),
        pytest.param({"wanted": asked(packages=("django==5.2.3",))}, id="the matrix's own Django"),
        pytest.param({"wanted": asked("six", policy="latest")}, id="latest"),
        pytest.param({"offline": True}, id="offline"),
    ],
)
def test_otherwise_one_process_asks_it_all(tmp_path: Path, more: dict[str, object]) -> None:
    script = Script(("django==5.2.19", "six==1.10"))
    assert made(tmp_path, script, **more).processes == 1  # type: ignore[arg-type]
    assert offline_ones(script) == [bool(more.get("offline"))]


def test_a_process_that_takes_long_is_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([100.0, 100.0 + SLOW + 0.1])
    monkeypatch.setattr("djhop.resolve.asking.time.monotonic", lambda: next(clock))
    pace = Pace()
    made(tmp_path, Script(("django==5.2.19",)), previous=None, pace=pace)
    assert pace.slow
