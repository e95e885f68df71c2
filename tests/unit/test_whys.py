"""Why packages moved: what is asked, and what of uv's proofs is a reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_uv import Script, asked, lock_of

from djhop.resolve import moves, resolve, whys
from djhop.resolve.attempts import Attempt
from djhop.resolve.locks import Lock
from djhop.resolve.proofs import Failure, read

#: The project asks for beat and six; beat asks for celery, celery for kombu.
WANTED = asked("beat>=2", "six")
BEFORE = lock_of(
    "asgiref==3.5", "beat==2.2", "celery==5.1", "django==4.2.1", "kombu==5.1", "six==1"
)
FOUND = lock_of("asgiref==3.9", "beat==2.5", "celery==5.2", "django==5.2.1", "kombu==5.2", "six==1")


def proof(*premises: str, kind: str = "") -> str:
    joined = " and ".join(premises)
    return (
        f"error: No solution found when resolving dependencies\n  cause: Because {kind}{joined} "
        "and you require six==1, we can conclude that your requirements are unsatisfiable."
    )


CAP = proof("beat==2.2 depends on django<5")
NEEDS_CELERY = proof("beat==2.5 depends on celery>=5.2,<6")
NEEDS_KOMBU = proof("celery==5.2 depends on kombu>=5.2")


class Asked:
    """Answers from a list, and keeps what was asked."""

    def __init__(self, *answers: str | Lock) -> None:
        self.answers, self.attempts = list(answers), list[Attempt]()

    def __call__(self, attempt: Attempt) -> Lock | Failure:
        self.attempts.append(attempt)
        answer = self.answers.pop(0)
        return read(answer) if isinstance(answer, str) else answer


def test_each_package_has_the_requirement_that_made_it_move() -> None:
    ask = Asked(CAP, NEEDS_CELERY, NEEDS_KOMBU)
    assert whys.whys(WANTED, BEFORE, FOUND, {}, ask) == {
        "beat": "beat 2.2 requires django<5",
        "celery": "beat 2.5 requires celery>=5.2,<6",
        "kombu": "celery 5.2 requires kombu>=5.2",
    }
    first, second, third = (set(attempt.constraints) for attempt in ask.attempts)
    # Where they were, and everything else as it is now; what is explained goes there, too.
    assert first == {"asgiref==3.9", "beat==2.2", "celery==5.1", "kombu==5.1", "six==1"}
    assert second == {"asgiref==3.9", "beat==2.5", "celery==5.1", "kombu==5.1", "six==1"}
    assert third == {"asgiref==3.9", "beat==2.5", "celery==5.2", "kombu==5.1", "six==1"}
    assert {a.requirements["django.in"] for a in ask.attempts} == {("django==5.2.1",)}


def test_a_cap_comes_before_what_else_a_proof_says() -> None:
    ask = Asked(proof("beat==2.2 depends on six<1", "beat==2.2 depends on django<5"), FOUND)
    reasons = whys.whys(WANTED, BEFORE, FOUND, {}, ask)
    assert reasons == {"beat": "beat 2.2 requires django<5"}


def test_a_release_that_is_gone_from_the_index_hides_no_other_reason() -> None:
    gone = (
        "error: No solution found when resolving dependencies\n  cause: Because there is no "
        "version of\n         celery==5.1 and you require celery==5.1, we can conclude that your "
        "requirements are unsatisfiable."
    )
    expected = {"celery": "celery 5.1 is not on the index", "beat": "beat 2.2 requires django<5"}
    found = lock_of("beat==2.5", "celery==5.2", "django==5.2.1", "kombu==5.1", "six==1")
    assert whys.whys(WANTED, BEFORE, found, {}, Asked(gone, CAP)) == expected


def test_what_was_not_held_before_is_free() -> None:
    """An old beat needs an old core; that a new one is there is no reason for beat to move."""
    found = lock_of("beat==2.5", "core==2.5", "django==5.2.1", "six==1")
    ask = Asked(CAP)
    before = lock_of("beat==2.2", "django==4.2.1", "six==1")
    assert whys.whys(WANTED, before, found, {}, ask) == {"beat": "beat 2.2 requires django<5"}
    assert set(ask.attempts[0].constraints) == {"beat==2.2", "six==1"}


def test_what_holds_is_no_reason() -> None:
    """Premises that the versions meet, and those of versions that are not there."""
    ask = Asked(proof("beat==2.2 depends on celery>=5", "beat==2.1 depends on django<4"))
    assert whys.whys(WANTED, BEFORE, FOUND, {}, ask) == {}
    assert len(ask.attempts) == 1


def test_an_old_version_for_another_python() -> None:
    old = proof(
        "beat==2.2 depends on Python>=3.11",
        kind="the current Python version (3.10.13) does not satisfy Python>=3.11 and ",
    )
    assert whys.whys(WANTED, BEFORE, FOUND, {}, Asked(old, FOUND)) == {
        "beat": "beat 2.2 requires python>=3.11"
    }


def test_an_old_version_that_cannot_be_built() -> None:
    failed = "error: Failed to build `celery==5.1`\n  cause: The build backend returned an error"
    assert whys.whys(WANTED, BEFORE, FOUND, {}, Asked(failed, FOUND)) == {
        "celery": "celery 5.1 cannot be built on Python 3.10"
    }


@pytest.mark.parametrize(
    ("before", "known"),
    [
        (FOUND, ()),
        (BEFORE, ("beat", "celery", "kombu")),
        (lock_of("asgiref==3.5", "django==4.2.1", "six==1"), ()),
    ],
    ids=["nothing moved", "all is known", "Django's own"],
)
def test_no_process_where_nothing_is_to_be_explained(before: Lock, known: tuple[str, ...]) -> None:
    assert whys.whys(WANTED, before, FOUND, dict.fromkeys(known, "known"), Asked()) == {}


def test_no_process_under_latest() -> None:
    wanted = asked("beat==2.2", "six", policy="latest")
    assert whys.whys(wanted, BEFORE, FOUND, {}, Asked()) == {}


def test_what_django_requires_needs_a_reason_to_sink() -> None:
    before = lock_of("asgiref==3.13", "django==5.2.1", "six==1")
    old = proof("asgiref==3.13 depends on Python>=3.11", kind="Python>=3.11 and ")
    assert whys.whys(WANTED, before, FOUND, {}, Asked(old)) == {
        "asgiref": "asgiref 3.13 requires python>=3.11"
    }


def test_the_questions_come_to_an_end() -> None:
    names = [f"p{n}" for n in range(whys.ROUNDS + 5)]
    before, after = (lock_of(*(f"{n}=={v}" for n in names)) for v in (1, 2))
    ask = Asked(*(proof(f"{name}==1 depends on six<1") for name in names))
    found = lock_of(*after.pins, "six==1")
    assert len(whys.whys(WANTED, before, found, {}, ask)) == whys.ROUNDS


# ------------------------------------------------------------------------------ in a cell's lock


def lock(tmp_path: Path, script: Script, policy: str = "minimal", *more: str) -> Lock:
    found = resolve.resolve(
        asked("beat>=2", "six", *more, policy=policy), previous=BEFORE, cache=tmp_path,
        spawner=script, uv="/bin/uv", uv_env={}, cwd=str(tmp_path), sleep=lambda _: None,
    )  # fmt: skip
    assert isinstance(found, Lock)
    return found


def test_a_lock_says_why_and_a_warm_one_asks_nobody(tmp_path: Path) -> None:
    pins = ("asgiref==3.9 # django", *FOUND.pins[1:])
    script = Script(pins, pins, CAP, NEEDS_CELERY, NEEDS_KOMBU)
    found = lock(tmp_path, script)
    assert found.moves_why == {
        "django": "the hop",
        "asgiref": "required by django",
        "beat": "beat 2.2 requires django<5",
        "celery": "beat 2.5 requires celery>=5.2,<6",
        "kombu": "celery 5.2 requires kombu>=5.2",
    }
    # What uv's cache has is enough for a proof.
    assert ["--offline" in command.argv for command in script.commands] == [False] * 2 + [True] * 3
    assert found.processes == 5
    assert lock(tmp_path, Script()) == found


LACKS = (
    "error: No solution found when resolving dependencies\n  cause: Because beat was not found in "
    "the cache\n  hint: Packages were unavailable because the network was disabled."
)
DOWN = "error: Request failed after 3 retries\n  cause: timed out"


def test_what_the_cache_lacks_is_asked_of_the_index(tmp_path: Path) -> None:
    pins = ("asgiref==3.5", "beat==2.5", "celery==5.1", "django==5.2.1", "kombu==5.1", "six==1")
    script = Script(pins, pins, LACKS, CAP)
    assert lock(tmp_path, script).moves_why["beat"] == "beat 2.2 requires django<5"
    assert "--offline" not in script.commands[3].argv


def test_a_lock_without_reasons_is_a_lock(tmp_path: Path) -> None:
    script = Script(FOUND.pins, FOUND.pins, LACKS, DOWN, DOWN, DOWN)
    found = lock(tmp_path, script)
    assert found.packages == FOUND.packages
    # That the project asks for it is no reason to move.
    assert found.moves_why["beat"] == ""


def test_under_latest_that_is_the_reason(tmp_path: Path) -> None:
    found = lock(tmp_path, Script((*FOUND.pins, "new==1 # celery")), "latest")
    why = {move.package: move.why for move in moves.diff(BEFORE, found)}
    assert why["beat"] == why["kombu"] == "policy latest: the newest release that fits"
    assert why["new"] == "required by celery"


def test_the_projects_line_for_this_python_is_the_reason(tmp_path: Path) -> None:
    line = "six==2 ; python_version >= '3.10'"
    pins = (*(pin for pin in BEFORE.pins if pin[:3] not in ("six", "dja")), "django==5.2.1")
    found = lock(tmp_path, Script((*pins, "six==2")), "minimal", line)
    assert found.moves_why["six"] == 'the project requires six==2; python_version >= "3.10"'
