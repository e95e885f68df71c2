"""resolve: the climb, infrastructure and what is kept, with a scripted uv."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from fake_uv import SECRET, Script, asked, lock_of, text

from djhop.errors import InfraError, Interrupted
from djhop.processes.process import Completed
from djhop.resolve import ladder, lockstore, openings, proofs, resolve
from djhop.resolve.locks import Lock
from djhop.resolve.resolve import Request, Unresolvable

Run = Callable[..., "Lock | Unresolvable"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def go(
        wanted: Request, script: Script, previous: Lock | None = None, **more: object
    ) -> Lock | Unresolvable:
        options = {"uv_env": {}, "sleep": lambda _: None, **more}
        return resolve.resolve(
            wanted,
            previous=previous,
            cache=tmp_path,
            spawner=script,
            uv="/bin/uv",
            cwd=str(tmp_path),
            **options,  # type: ignore[arg-type]
        )

    return go


# The ladder.


def test_satisfiable_takes_one_process(run: Run) -> None:
    script = Script(("celery==5.0.5", "django==5.2.19"))
    lock = run(asked("Django<4", "celery==5.0.5"), script)
    assert isinstance(lock, Lock)
    assert (lock.processes, lock.forced, lock.django_release) == (1, False, "5.2.19")
    assert lock.notes == ("'Django<4' of the project gives way to 'django==5.2.*'",)
    assert "lock.txt" in script.files[0], "the pins are preferences"


def test_only_the_pin_that_caps_django_is_released(run: Run) -> None:
    newest = ("django==5.2.19", "django-oscar==4.2.1", "six==1.10")
    script = Script(text("capped"), newest, newest)
    lock = run(asked("django-oscar==3.2.4", "six==1.10"), script)
    assert isinstance(lock, Lock)
    assert script.files[1]["project.in"] == "django-oscar>=3.2.4\nsix==1.10\n"
    assert lock.moves_why == {"django-oscar": "django-oscar 3.2.4 requires django>=3.2,<4.3"}
    assert not lock.forced


def test_a_released_package_may_drag_a_pin_along(run: Run) -> None:
    newest = ("celery==5.2.3", "django==4.2.1", "django-celery-beat==2.4")
    script = Script(text("dragged"), newest, newest)
    lock = run(asked("django-celery-beat>=2.2.1", "celery==5.0.5", django="4.2"), script)
    assert isinstance(lock, Lock)
    assert script.files[1]["project.in"] == "django-celery-beat>=2.2.1\ncelery>=5.0.5\n"
    assert lock.moves_why["celery"] == "django-celery-beat >=2.4.0 requires celery>=5.2.3"


def test_a_cap_that_no_release_lifts_is_forced_after_the_rest_has_moved(run: Run) -> None:
    proof = text("capped")
    script = Script(
        proof,
        proof.replace("==3.2.4", ">=3.2.4"),
        ("django==5.2.19", "six==1.10"),
        ("django==5.2.19", "django-oscar==3.2.4", "six==1.10"),
        proof.replace("==3.2.4", ">=3.2.4"),
    )
    lock = run(asked("django-oscar==3.2.4", "six==1.10"), script)
    assert isinstance(lock, Lock)
    assert lock.forced
    assert [b.reason for b in lock.blockers] == ["django-oscar 3.2.4 requires django>=3.2,<4.3"]
    assert lock.blockers[0].chain == ("django-oscar==3.2.4", "django>=3.2,<4.3")
    assert lock.blockers[0].first_allowing == ""
    assert lock.notes == (
        "forced: django-oscar 3.2.4 requires django>=3.2,<4.3; no release of it allows this Django",
    )
    assert lock.processes == 5
    assert script.files[2]["overrides.in"] == "django-oscar ; python_version < '0'\n"
    assert script.files[3]["overrides.in"] == "django==5.2.*\n"
    assert "django-oscar==3.2.4" in script.files[3]["lock.txt"]


def test_frozen_is_forced_and_says_what_would_open_it(run: Run) -> None:
    script = Script(
        text("capped"),
        ("django==5.2.19",),
        ("django==5.2.19", "django-oscar==3.2.4"),
        ("django==5.2.19", "django-oscar==4.0"),
    )
    lock = run(asked("django-oscar==3.2.4", policy="frozen"), script)
    assert isinstance(lock, Lock)
    assert (lock.forced, lock.processes) == (True, 4)
    assert script.files[2]["project.in"] == "django-oscar==3.2.4\n"
    assert script.files[3]["blocker.in"] == "django-oscar>=3.2.4\n"
    assert script.files[3]["django.in"] == "django==5.2.19\n"
    assert "lowest-direct" in script.commands[3].argv
    assert lock.blockers[0].first_allowing == "4.0"


def test_frozen_tries_nothing_else(run: Run) -> None:
    failed = "error: Failed to build `pillow==5.0.0`\n  cause: The build backend returned an error"
    before = lock_of("django==4.2.1", "pillow==5.0.0")
    answer = run(asked("pillow", policy="frozen"), Script(failed), before)
    assert isinstance(answer, Unresolvable)
    assert (answer.kind, answer.processes) == ("build", 1)


def test_every_package_that_no_python_suits_is_named(run: Run) -> None:
    proof = (
        "error: No solution found when resolving dependencies\n  cause: Because the current Python "
        "version (3.10.13) does not satisfy Python>=3.11 and a==1.0 depends on Python>=3.11, we "
        "can conclude that a==1.0 cannot be used.\n         And because b==1.0 depends on "
        "Python>=3.11 and you require b==1.0 and a==1.0, we can conclude that these are "
        "unsatisfiable."
    )
    script = Script(proof, ("a==1.2", "django==5.2.1"), ("b==1.3", "django==5.2.1"))
    answer = run(asked("a==1.0", "b==1.0", policy="frozen"), script)
    assert isinstance(answer, Unresolvable)
    assert answer.reason == "2 packages do not allow it: a, b"
    assert [blocker.sentence for blocker in answer.blockers] == [
        "a 1.0 requires python>=3.11; 1.2 is its first release to allow this Python",
        "b 1.0 requires python>=3.11; 1.3 is its first release to allow this Python",
    ]


TOO_NEW = (
    "error: No solution found when resolving dependencies\n  cause: Because the current Python "
    "version (3.10.13) does not satisfy Python>=3.11 and deep==9.0 depends on Python>=3.11, we can "
    "conclude that deep==9.0 cannot be used.\n         And because you require deep==9.0, we can "
    "conclude that your requirements are unsatisfiable."
)


@pytest.mark.parametrize(
    ("requirements", "before", "chain"),
    [
        (("deep>=8 ; python_version < '3'", "deep>=7"), None, ("deep>=7", "python>=3.11")),
        (("shop~=1.0",), None, ()),
        (
            ("shop~=1.0",),
            lock_of("shop==1.2", "deep==9.0", via={"shop": ("the project",), "deep": ("shop",)}),
            ("shop~=1.0", "deep==9.0", "python>=3.11"),
        ),
    ],
    ids=["named by the project", "by nobody that is known", "by what it names"],
)
def test_the_way_down_to_a_blocker_begins_with_the_projects_own_words(
    run: Run, requirements: tuple[str, ...], before: Lock | None, chain: tuple[str, ...]
) -> None:
    """Not with the pin of a lock file, which is what uv's proof speaks of."""
    wanted = asked(*requirements, pins=("deep==9.0",), policy="frozen")
    answer = run(wanted, Script(TOO_NEW, TOO_NEW), before)
    assert isinstance(answer, Unresolvable)
    (blocker,) = answer.blockers
    assert blocker.chain == chain
    assert blocker.remedy == "no later release of it allows this Python"


def test_what_cannot_be_built_at_its_pin_is_released(run: Run) -> None:
    failed = "error: Failed to build `pillow==5.0.0`\n  cause: The build backend returned an error"
    found = ("django==5.2.19", "pillow==12.0")
    script = Script(failed, found, found)
    lock = run(asked("pillow==5.0.0"), script)
    assert isinstance(lock, Lock)
    assert lock.moves_why == {"pillow": "pillow 5.0.0 cannot be built on Python 3.10"}


def test_an_ancient_release_that_cannot_be_built_is_passed_over(run: Run) -> None:
    failed = "error: Failed to build `oscar==0.6.5`\n  cause: The build backend returned an error"
    script = Script(failed, ("django==5.2.19", "oscar==4.0"))
    assert isinstance(run(asked("oscar"), script), Lock)
    assert "--only-binary" in script.commands[1].argv


def test_many_caps_are_released_together_in_the_end(run: Run) -> None:
    names = [f"pkg{n}" for n in range(12)]
    caps = [text("capped").replace("django-oscar==3.2.4", f"{name}==1.0") for name in names]
    script = Script(*caps[: ladder.ROUNDS], ("django==5.2.19",))
    lock = run(asked(*(f"{name}==1.0" for name in names)), script)
    assert isinstance(lock, Lock)
    assert lock.processes == ladder.ROUNDS + 1
    assert "pkg11>=1.0" in script.files[-1]["project.in"]


def test_an_older_python_may_lower_what_the_path_raised(run: Run) -> None:
    proof = (
        "error: No solution found when resolving dependencies\n  cause: Because the current Python "
        "version (3.10.13) does not satisfy Python>=3.11 and numpy>=2.3 depends on Python>=3.11, "
        "we can conclude that numpy>=2.3 cannot be used.\n         And because you require "
        "numpy>=2.3, we can conclude that your requirements are unsatisfiable."
    )
    held = proof.replace("numpy>=2.3", "numpy==2.3")
    script = Script(proof, ("django==5.2.19", "numpy==2.2"), held)
    lock = run(asked("numpy"), script, lock_of("django==5.2.19", "numpy==2.3"))
    assert isinstance(lock, Lock)
    assert lock.moves_why == {"numpy": "numpy 2.3 requires python>=3.11"}
    assert "--constraints" in script.commands[0].argv
    assert "--constraints" not in script.commands[1].argv


def test_without_a_way_uv_is_quoted(run: Run, tmp_path: Path) -> None:
    script = Script(text("old-python"))
    answer = run(asked(django="6.0"), script)
    assert isinstance(answer, Unresolvable)
    assert answer.kind == "python"
    assert answer.reason == "Django 6.0 requires Python>=3.12, not 3.10"
    assert Path(answer.log).read_text(encoding="utf-8").startswith("error: No solution found")
    assert answer.processes == 1


@pytest.mark.parametrize(
    ("name", "kind", "reason"),
    [
        ("no-series", "conflict", "there is no release of Django 6.2 (only django<=6.1.3)"),
        ("missing", "missing", "nosuch-djhop-xyz is not on the index"),
        ("gone-url", "missing", "foo is not at its URL: https://files.example.org/packages/"),
        ("no-tag", "missing", "foo is not at its URL: git+https://git.example.org/foo@v9"),
        ("build", "build", "bad cannot be built on Python 3.10"),
        ("bad-requirement", "requirement", "a requirement cannot be read: foo==:"),
        ("long-python", "python", "ipython >=9.13.0 requires python>=3.11"),
    ],
)
def test_reasons(run: Run, name: str, kind: str, reason: str) -> None:
    answer = run(asked(django="6.2"), Script(text(name)))
    assert isinstance(answer, Unresolvable)
    assert answer.kind == kind
    assert answer.reason.startswith(reason)


def test_another_release_without_a_wheel_is_taken_where_the_one_in_use_cannot_be_built(
    run: Run,
) -> None:
    failed = "error: Failed to build `auth==0.44`\n  cause: The build backend returned an error"
    moved = ("auth==0.63", "django==3.2.25")
    script = Script(failed, failed, moved, moved)
    lock = run(asked("auth==0.44", django="3.2"), script)
    assert isinstance(lock, Lock)
    assert lock.packages["auth"] == "0.63"
    assert lock.moves_why["auth"] == "auth 0.44 cannot be built on Python 3.10"
    assert "auth!=0.44\n" in script.files[2]["constraints.in"]
    assert "--only-binary" not in script.commands[2].argv


# Infrastructure, and the cache.


@pytest.mark.parametrize("name", ["dns", "server-error", "git"])
def test_a_silent_index_is_tried_three_times_and_is_no_verdict(run: Run, name: str) -> None:
    pauses: list[float] = []
    script = Script(*[text(name)] * 3)
    with pytest.raises(InfraError, match="does not answer") as caught:
        run(asked("six"), script, sleep=pauses.append)
    first, second = pauses
    assert 1.0 <= first <= 1.5
    assert 4.0 <= second <= 6.0
    assert "secret" not in str(caught.value)


def test_what_is_silent_is_named(run: Run) -> None:
    with pytest.raises(InfraError, match=r"^the URL of foo does not answer:"):
        run(asked("six"), Script(*[text("git")] * 3))
    with pytest.raises(InfraError, match=r"^the package index does not answer:"):
        run(asked("six"), Script(*[text("dns")] * 3))


def test_after_a_silent_index_the_next_cell_is_not_waited_for_as_long(run: Run) -> None:
    script = Script(*[text("dns")] * 4, ("django==5.2.1",), *[text("dns")] * 3)
    pace = resolve.Pace()
    for _ in range(2):
        with pytest.raises(InfraError, match="does not answer"):
            run(asked("six"), script, pace=pace)
    assert [c.env.get("UV_HTTP_RETRIES") for c in script.commands] == [None] * 3 + ["0"]
    assert isinstance(run(asked("six"), script, pace=pace), Lock)
    with pytest.raises(InfraError, match="does not answer"):  # it had answered in between
        run(asked("celery"), script, pace=pace)
    assert len(script.commands) == 8


@pytest.mark.parametrize(
    ("wanted", "proof", "why"),
    [
        (
            asked("six==1.17.77"),
            "there is no version of six==1.17.77 and you require six==1.17.77",
            "six 1.17.77 is not on the index",
        ),
        (
            asked("six==1.17.77", exclude_newer="2024-01-01"),
            "there is no version of six==1.17.77 and you require six==1.17.77",
            "six 1.17.77 is not on the index of 2024-01-01",
        ),
        (
            asked("six==1.15", "six>=1.16"),
            "you require six==1.15 and six>=1.16",
            "the project requires six>=1.16",
        ),
        (
            asked("six==1.15", "six>=1.16 ; python_version < '3'"),
            "you require six==1.15 and six>=1.16",
            "six 1.15 does not fit the other requirements",
        ),
    ],
)
def test_why_a_pin_gives_way_where_no_package_is_in_its_way(
    run: Run, wanted: Request, proof: str, why: str
) -> None:
    said = (
        "error: No solution found when resolving dependencies\n"
        f"  cause: Because {proof}, we can conclude that your requirements are unsatisfiable."
    )
    moved = ("django==5.2.1", "six==1.18")
    lock = run(wanted, Script(said, moved, moved))
    assert isinstance(lock, Lock)
    assert lock.moves_why["six"] == why


def test_an_index_that_recovers_is_forgotten(run: Run) -> None:
    assert isinstance(run(asked("six"), Script(text("dns"), ("django==5.2.1",))), Lock)


@pytest.mark.parametrize("name", ["unauthorized", "forbidden", "empty-index"])
def test_an_index_that_refuses_is_not_asked_again(run: Run, name: str) -> None:
    script = Script(text(name))
    with pytest.raises(InfraError, match="refuses"):
        run(asked("six"), script)
    assert len(script.commands) == 1


def test_offline_says_what_is_missing(run: Run) -> None:
    script = Script(text("offline"))
    with pytest.raises(InfraError, match="cache lacks") as caught:
        run(asked("six"), script, offline=True)
    assert "--offline" in script.commands[0].argv
    assert caught.value.hint == "run once with the network: without --offline and UV_OFFLINE"


@pytest.mark.parametrize(
    ("ended", "error"), [("interrupted", Interrupted), ("timed_out", InfraError)]
)
def test_an_ended_process_is_no_verdict(run: Run, ended: str, error: type[Exception]) -> None:
    done = Completed(argv=(), returncode=-15, seconds=1.0, **{ended: True})  # type: ignore[arg-type]
    with pytest.raises(error):
        run(asked("six"), Script(done))


def test_a_warm_lock_needs_no_process_until_it_is_a_day_old(run: Run) -> None:
    wanted, pins = asked("six==1.17"), ("django==5.2.1", "six==1.17")
    first = run(wanted, Script(pins), now=lambda: 1000.0)
    assert run(wanted, Script(), now=lambda: 1000.0 + 86_399) == first
    script = Script(pins)
    run(wanted, script, now=lambda: 1000.0 + 86_401)
    assert len(script.commands) == 1
    script = Script(pins)
    run(wanted, script, now=lambda: 1000.0 + 86_402, fresh=True)
    assert len(script.commands) == 1


def test_a_dated_lock_never_ages(run: Run) -> None:
    wanted = asked("six", exclude_newer="2026-01-01")
    run(wanted, Script(("django==5.2.1",)), now=lambda: 0.0)
    assert isinstance(run(wanted, Script(), now=lambda: 1e9), Lock)


def test_an_old_lock_is_better_than_none(run: Run) -> None:
    run(asked("six"), Script(("django==5.2.1",)), now=lambda: 0.0)
    lock = run(asked("six"), Script(*[text("dns")] * 3), now=lambda: 1e9)
    assert isinstance(lock, Lock)
    assert lock.notes[-1] == "the package index does not answer: this lock is of 1970-01-01"
    offline = run(asked("six"), Script(), now=lambda: 1e9, offline=True)
    assert isinstance(offline, Lock)


def test_a_proof_is_kept_and_a_failed_build_is_not(run: Run) -> None:
    run(asked(django="6.2"), Script(text("no-series")))
    assert isinstance(run(asked(django="6.2"), Script()), Unresolvable)
    run(asked("bad @ https://h/bad.tar.gz"), Script(text("build")))
    script = Script(text("build"))
    run(asked("bad @ https://h/bad.tar.gz"), script)
    assert len(script.commands) == 1


def test_local_paths_are_always_asked_again(run: Run) -> None:
    for _ in range(2):
        script = Script(("django==5.2.1",))
        run(asked("x @ ./libs/x"), script)
        assert len(script.commands) == 1


def test_credentials_stay_out_of_what_is_kept(run: Run, tmp_path: Path) -> None:
    wanted = asked(f"x @ {SECRET}/x-1.tar.gz")
    pins = (f"x @ {SECRET}/x-1.tar.gz", "django==5.2.1")
    first = run(wanted, Script(pins), uv_env={"UV_INDEX_A_PASSWORD": "s3cret"})
    kept = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    assert b"s3cret" not in kept
    assert b"****" in kept
    again = run(wanted, Script(), uv_env={"UV_INDEX_A_PASSWORD": "s3cret"})
    assert again == first
    assert isinstance(again, Lock)
    assert again.pins == pins
    assert "s3cret" not in resolve.requirements_text(again)


def test_credentials_stay_out_of_what_a_lock_says_of_blockers(run: Run, tmp_path: Path) -> None:
    url = f"{SECRET}/oscar-3.2.4.tar.gz"
    proof = text("capped")
    rest, pins = ("django==5.2.19",), ("django==5.2.19", f"django-oscar @ {url}")
    lock = run(asked(f"django-oscar @ {url}"), Script(proof, rest, pins))
    assert isinstance(lock, Lock)
    (blocker,) = lock.blockers
    hidden = "http://****@index.invalid/oscar-3.2.4.tar.gz"
    assert blocker.chain == (f"django-oscar @ {hidden}", "django>=3.2,<4.3")
    assert blocker.version == hidden
    assert "s3cret" not in "".join(p.read_text() for p in tmp_path.rglob("*.json"))
    # What is only on the way is shown by its URL.
    via = {"django-oscar": ("the project",), "deep": ("django-oscar",), "cap": ("deep",)}
    deep = lock_of(f"django-oscar @ {url}", f"deep @ {SECRET}/deep.zip", "cap==1", via=via)
    assert openings.way_down(deep, "cap", asked()) == (
        f"django-oscar @ {hidden}", "deep @ http://****@index.invalid/deep.zip", "cap==1",
    )  # fmt: skip


def test_credentials_stay_out_of_a_proof() -> None:
    proof = proofs.read(text("capped"))
    climb = ladder.after_failure(ladder.Climb(), proof, asked(f"django-oscar @ {SECRET}/o.zip"))
    assert climb is not None
    assert climb.blockers[0].chain[0] == "django-oscar @ http://****@index.invalid/o.zip"


def test_the_key_holds_all_that_decides_and_nothing_else(tmp_path: Path) -> None:
    base = asked("six")

    def key(wanted: Request = base, previous: Lock | None = None, **env: str) -> str:
        return lockstore.cache_key(wanted, previous, uv_version="1", env=env, cwd=str(tmp_path))

    replace = msgspec.structs.replace
    keys = {
        key(),
        key(replace(base, requirements=("six==1",))),
        key(replace(base, django="5.1")),
        key(replace(base, python_release="3.10.14")),
        key(replace(base, policy="latest")),
        key(replace(base, exclude_newer="2026-01-01")),
        key(base, lock_of("six==1")),
        key(UV_DEFAULT_INDEX="https://a"),
    }
    assert len(keys) == 8
    assert key(UV_CACHE_DIR="/x", UV_HTTP_TIMEOUT="3", PATH="/y") == key()
    (tmp_path / "uv.toml").write_text('index-url = "https://b"')
    assert key() not in keys


@pytest.mark.parametrize(("name", "folder"), [("HOME", ".config/uv"), ("XDG_CONFIG_HOME", "uv")])
def test_the_key_holds_the_users_own_settings(tmp_path: Path, name: str, folder: str) -> None:
    def key() -> str:
        env = {name: str(tmp_path)}
        return lockstore.cache_key(asked(), None, uv_version="1", env=env, cwd="/nowhere")

    before = key()
    (tmp_path / folder).mkdir(parents=True)
    (tmp_path / folder / "uv.toml").write_text('index-url = "https://b"')
    assert key() != before


def test_the_same_target_elsewhere_has_the_same_key(tmp_path: Path) -> None:
    keys = set()
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "uv.toml").write_text('index-url = "https://b"')
        cwd = str(tmp_path / name)
        keys.add(lockstore.cache_key(asked(), None, uv_version="1", env={}, cwd=cwd))
    assert len(keys) == 1


def test_a_damaged_entry_is_made_again(run: Run, tmp_path: Path) -> None:
    run(asked("six"), Script(("django==5.2.1",)))
    (entry,) = (tmp_path / "locks").glob("*.json")
    entry.write_bytes(entry.read_bytes()[:40])
    assert isinstance(run(asked("six"), Script(("django==5.2.1",))), Lock)


def test_nothing_is_left_beside_the_entry(run: Run, tmp_path: Path) -> None:
    run(asked("six"), Script(("django==5.2.1",)))
    assert [p.suffix for p in (tmp_path / "locks").iterdir()] == [".json"]


def test_twelve_warm_locks_are_read_in_no_time(run: Run) -> None:
    pins = tuple(sorted(f"package-{n}==1.{n}" for n in range(60)))
    wants = [asked(*pins, django=f"5.{n}") for n in range(12)]
    for wanted in wants:
        run(wanted, Script((*pins, "django==5.2.1")))
    started = time.perf_counter()
    for wanted in wants:
        run(wanted, Script())
    # The goal is 50 ms; the bench measures it, this only sees a broken cache.
    assert time.perf_counter() - started < 0.5
