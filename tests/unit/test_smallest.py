"""Small steps, and the way out of blockers, with a scripted uv."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_uv import Script, asked, lock_of, text

from djhop.resolve import openings, resolve
from djhop.resolve.attempts import Attempt, Stage
from djhop.resolve.blockers import Blocker
from djhop.resolve.locks import Lock
from djhop.resolve.proofs import Failure, read
from djhop.resolve.request import Request
from djhop.resolve.smallest import BUILDS, smallest

#: The project pins beat, and its lock before has what beat needs.
WANTED = asked("beat==2.2", "six")
BEFORE = lock_of("beat==2.2", "django==4.2.1", "field==4.0", "kombu==5.0", "six==1.10")
FOUND = lock_of(
    "beat==2.9", "cron==1.4", "django==5.2.1", "field==7.0", "kombu==5.0", "six==1.10",
    via={"beat": ("the project",), "cron": ("beat",), "field": ("beat",), "six": ("the project",)},
)  # fmt: skip
RELEASED = Stage(released=frozenset({"beat"}))
NO_WHEEL = read(
    "error: No solution found when resolving dependencies\n  cause: Because field==5.0 has no "
    "usable wheels and you require field==5.0, we can conclude that your requirements are "
    "unsatisfiable."
)


class Asked:
    """Answers from a list, and keeps what was asked."""

    def __init__(self, *answers: Lock | Failure) -> None:
        self.answers, self.attempts = list(answers), list[Attempt]()

    def __call__(self, attempt: Attempt) -> Lock | Failure:
        self.attempts.append(attempt)
        return self.answers.pop(0)


def test_what_moved_is_asked_for_from_where_it_was_and_the_rest_stays() -> None:
    ask = Asked(lock_of("beat==2.3", "django==5.2.1"))
    smallest(WANTED, BEFORE, RELEASED, FOUND, ask)
    (attempt,) = ask.attempts
    assert attempt.lowest
    assert attempt.requirements["project.in"] == ("beat>=2.2", "six")
    assert attempt.requirements["moved.in"] == ("beat>=2.2", "field>=4.0")
    assert set(attempt.constraints) >= {"django==5.2.1", "kombu==5.0", "six==1.10"}
    assert not [line for line in attempt.constraints if line.startswith(("beat==", "cron=="))]
    # Where it was is preferred; what is new is where it was found.
    assert {"beat==2.2", "field==4.0", "cron==1.4"} <= set(attempt.seeds)
    assert attempt.wheels == ("beat", "field")


def test_what_the_smaller_step_does_not_need_is_gone() -> None:
    via: dict[str, tuple[str, ...]] = {"beat": ("the project",), "field": (), "django": ("x",)}
    answer = lock_of("beat==2.3", "django==5.2.1", "field==4.0", via=via)
    lock = smallest(WANTED, BEFORE, RELEASED, FOUND, Asked(answer))
    assert lock.packages == {"beat": "2.3", "django": "5.2.1"}


def test_what_has_no_wheel_may_be_built() -> None:
    ask = Asked(NO_WHEEL, FOUND)
    smallest(WANTED, BEFORE, RELEASED, FOUND, ask)
    assert [attempt.wheels for attempt in ask.attempts] == [("beat", "field"), ("beat",)]


def test_what_only_the_small_steps_ask_for_takes_a_small_one_too() -> None:
    """The newest beat has no line for tools; the lowest has, and uv would take the newest."""
    before = lock_of("beat==2.2", "django==4.2.1", "tools==58.4")
    first, second = (
        lock_of("beat==2.3", "django==5.2.1", f"tools=={version}",
                via={"beat": ("the project",), "tools": ("beat",)})
        for version in ("81.0", "59.1")
    )  # fmt: skip
    ask = Asked(first, second)
    lock = smallest(WANTED, before, RELEASED, FOUND, ask)
    assert lock.packages["tools"] == "59.1"
    assert "tools>=58.4" in ask.attempts[1].requirements["moved.in"]
    assert "tools" in ask.attempts[1].wheels
    # Where that cannot be had, the first answer stands.
    lock = smallest(WANTED, before, RELEASED, FOUND, Asked(first, NO_WHEEL))
    assert lock.packages["tools"] == "81.0"


@pytest.mark.parametrize("answer", [read(text("build")), read(text("old-python"))])
def test_where_nothing_smaller_is_found_the_lock_stays(answer: Failure) -> None:
    ask = Asked(*[answer] * 3)
    assert smallest(WANTED, BEFORE, RELEASED, FOUND, ask) is FOUND
    assert ask.attempts[-1].wheels == ()


@pytest.mark.parametrize(
    ("wanted", "stage", "found"),
    [
        (WANTED, Stage(), lock_of("beat==2.2", "django==5.2.1", "field==3.9", "new==1")),
        (WANTED, Stage(), lock_of("asgiref==3.9", "beat==2.2", "django==5.2.1")),
        (asked("beat==2.2", policy="latest"), RELEASED, FOUND),
        (WANTED, Stage(forced=True), FOUND),
    ],
    ids=["nothing went up", "Django's own", "latest", "forced"],
)
def test_no_process_where_no_step_is_to_be_made_small(
    wanted: Request, stage: Stage, found: Lock
) -> None:
    before = lock_of("asgiref==3.5", "beat==2.2", "django==4.2.1", "field==4.0")
    ask = Asked()
    assert smallest(wanted, before, stage, found, ask) is found
    assert ask.attempts == []


def build(release: str) -> Failure:
    return read(f"error: Failed to build `{release}`\n  cause: The build backend returned an error")


SOURCES = Stage(released=frozenset({"beat"}), unbuilt=frozenset({"beat!=2.2"}))
OWN: dict[str, tuple[str, ...]] = {"beat": ("the project",), "django": ("the hop",)}
FAR = lock_of("beat==65.13", "django==5.2.1", via=OWN)
NEAR = lock_of("beat==2.5", "django==5.2.1", via=OWN)


def test_a_package_without_wheels_takes_no_great_leap_to_its_first_wheel() -> None:
    ask = Asked(FAR, build("beat==2.3"), build("beat==2.4"), NEAR)
    assert smallest(WANTED, BEFORE, SOURCES, FAR, ask).packages == NEAR.packages
    assert [attempt.wheels for attempt in ask.attempts] == [("beat",), (), (), ()]
    assert {"beat!=2.2", "beat!=2.3", "beat!=2.4"} <= set(ask.attempts[-1].constraints)


def test_releases_that_cannot_be_built_are_passed_over_a_few_times_only() -> None:
    ask = Asked(FAR, *[build("beat==2.3")] * (BUILDS + 1))
    assert smallest(WANTED, BEFORE, SOURCES, FAR, ask).packages == FAR.packages
    assert len(ask.attempts) == BUILDS + 2


def test_within_a_major_version_a_wheel_is_good_enough() -> None:
    ask = Asked(NEAR)
    assert smallest(WANTED, BEFORE, SOURCES, FAR, ask).packages == NEAR.packages


# Blockers.

BEAT = Blocker(package="beat", version="2.2", constraint="django<4")
CAPPED = read(text("capped"))
BUILD = read("error: Failed to build `beat==2.4`\n  cause: The build backend returned an error")


@pytest.mark.parametrize(
    ("answers", "first"),
    [
        ((lock_of("beat==2.8", "django==5.2.1"),), "2.8"),
        ((CAPPED,), ""),
        ((BUILD, lock_of("beat==2.8", "django==5.2.1")), "2.8"),
        ((BUILD, CAPPED), None),
        ((BUILD, BUILD), None),
    ],
)
def test_the_first_release_that_opens_the_cell(
    answers: tuple[Lock | Failure, ...], first: str | None
) -> None:
    ask = Asked(*answers)
    (blocker,) = openings.opened((BEAT,), "5.2.1", WANTED, ask)
    assert blocker.first_allowing == first
    assert ask.attempts[0].requirements == {
        "blocker.in": ("beat>=2.2",),
        "django.in": ("django==5.2.1",),
    }
    assert all(attempt.lowest for attempt in ask.attempts)
    assert [attempt.wheels for attempt in ask.attempts[1:]] == [("beat",)] * (len(answers) - 1)


def test_a_blocker_of_no_one_version_is_not_asked_about() -> None:
    several = Blocker(package="ipython", version=">=9.13", constraint="python>=3.11")
    assert openings.opened((several,), "5.2.1", WANTED, Asked()) == (several,)


@pytest.mark.parametrize(
    ("first", "constraint", "words"),
    [
        (None, "django<4", "beat 2.2 requires django<4"),
        ("", "django<4", "beat 2.2 requires django<4; no release of it allows this Django"),
        ("3", "python<3.9", "beat 2.2 requires python<3.9; 3 is its first release to "
         "allow this Python"),
    ],
)  # fmt: skip
def test_a_blocker_in_words(first: str | None, constraint: str, words: str) -> None:
    made = Blocker(package="beat", version="2.2", constraint=constraint, first_allowing=first)
    assert made.sentence == words


def test_a_cap_behind_a_blocker_is_found() -> None:
    """Nobody but the blocker asks for it: where that was left out, it was not met."""
    forced = lock_of(
        "beat==2.2", "deep==1.0", "django==5.2.1", "field==4.0", "six==1.10",
        via={"beat": ("the project",), "field": ("beat",), "deep": ("field",)},
    )  # fmt: skip
    capped = read(
        "error: No solution found when resolving dependencies\n  cause: Because deep==1.0 depends "
        "on django<4 and you require deep==1.0, we can conclude that your requirements are "
        "unsatisfiable."
    )
    ask = Asked(capped, lock_of("field==4.0"))
    rest = lock_of("django==5.2.1", "six==1.10")
    (more,) = openings.hidden(forced, rest, (BEAT,), WANTED, ask)
    assert (more.package, more.constraint) == ("deep", "django<4")
    assert ask.attempts[0].requirements["behind.in"] == ("deep==1.0", "field==4.0")
    assert ask.attempts[1].requirements["behind.in"] == ("field==4.0",)
    (met,) = openings.met(forced, (more,), WANTED)
    assert met.chain == ("beat==2.2", "field==4.0", "deep==1.0", "django<4")


def test_where_a_blocker_brings_nothing_along_nobody_is_asked() -> None:
    forced = lock_of("asgiref==3.9", "beat==2.2", "django==5.2.1", "six==1.10")
    rest = lock_of("django==5.2.1", "six==1.10")
    assert openings.hidden(forced, rest, (BEAT,), WANTED, Asked()) == ()


def test_the_smaller_lock_is_the_one_that_is_kept(tmp_path: Path) -> None:
    script = Script(
        text("capped").replace("django-oscar", "beat").replace("3.2.4", "2.2"),
        ("beat==2.9", "django==5.2.1", "six==1.10"),
        ("beat==2.8", "django==5.2.1", "six==1.10"),
    )
    lock = resolve.resolve(
        WANTED, previous=BEFORE, cache=tmp_path, spawner=script, uv="/bin/uv", uv_env={},
        cwd=str(tmp_path), sleep=lambda _: None,
    )  # fmt: skip
    assert isinstance(lock, Lock)
    assert lock.packages["beat"] == "2.8"
    assert lock.processes == 3
    assert lock.moves_why["beat"] == "beat 2.2 requires django>=3.2,<4.3"
    assert "moved.in" in script.files[2]
