"""resolve and the rooms beside it, on what uv 0.13.8 and 0.8.0 really said (`uv_texts/`)."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from packaging.requirements import Requirement

from djhop.errors import InfraError, Interrupted
from djhop.processes.process import Command, Completed
from djhop.resolve import attempts, blockers, ladder, locks, lockstore, proofs, request, resolve
from djhop.resolve.attempts import Stage
from djhop.resolve.locks import Lock
from djhop.resolve.resolve import Request, Unresolvable

TEXTS = Path(__file__).parent / "uv_texts"
SECRET = "http://user:s3cret@index.invalid"


def text(name: str) -> str:
    return (TEXTS / f"{name}.txt").read_text(encoding="utf-8")


def asked(*requirements: str, django: str = "5.2", **more: object) -> Request:
    return Request(
        requirements=requirements,
        django=django,
        python="3.10",
        python_release="3.10.13",
        interpreter_path="/opt/python3.10",
        **more,  # type: ignore[arg-type]
    )


def lock_of(*pins: str, via: dict[str, tuple[str, ...]] | None = None) -> Lock:
    made = locks.parse("".join(f"{pin}\n" for pin in pins))
    return msgspec.structs.replace(made, via=via or {})


class Script:
    """A spawner that answers from a list: a text is a failure, a tuple of pins a lock."""

    def __init__(self, *answers: str | tuple[str, ...] | Completed) -> None:
        self.answers = list(answers)
        self.commands: list[Command] = []
        self.files: list[dict[str, str]] = []

    def run(self, command: Command) -> Completed:
        self.commands.append(command)
        out = Path(command.argv[command.argv.index("--output-file") + 1])
        self.files.append({p.name: p.read_text() for p in out.parent.iterdir()})
        answer = self.answers.pop(0)
        if isinstance(answer, Completed):
            return answer
        if isinstance(answer, str):
            return Completed(argv=command.argv, returncode=1, seconds=0.1, output=answer)
        out.write_text("".join(f"{pin}\n    # via -r {out.parent}/project.in\n" for pin in answer))
        return Completed(argv=command.argv, returncode=0, seconds=0.1, output="Resolved")


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


# ------------------------------------------------------------------------------- reading uv's text


@pytest.mark.parametrize(
    ("name", "kind", "package"),
    [
        ("capped", "conflict", ""),
        ("capped-0.8", "conflict", ""),
        ("capped-range", "conflict", ""),
        ("dragged", "conflict", ""),
        ("old-python", "python", ""),
        ("long-python", "python", ""),
        ("no-series", "conflict", ""),
        ("missing", "missing", "nosuch-djhop-xyz"),
        ("empty-index", "missing", "django"),
        ("gone-url", "missing", "foo"),
        ("bad-requirement", "requirement", ""),
        ("build", "build", "bad"),
        ("git", "network", "foo"),
        ("dns", "network", ""),
        ("server-error", "network", ""),
        ("unauthorized", "credentials", ""),
        ("forbidden", "credentials", ""),
        ("offline", "offline", ""),
    ],
)
def test_every_failure_of_uv_has_one_kind(name: str, kind: str, package: str) -> None:
    failure = proofs.read(text(name))
    assert failure.kind == kind
    if package:
        assert failure.package == package


@pytest.mark.parametrize("name", ["capped", "capped-0.8"])
def test_a_blocker_is_named_with_version_and_constraint_in_both_layouts(name: str) -> None:
    (blocker,) = blockers.against(proofs.read(text(name)), "django", {"django-oscar": "3.2.4"})
    assert blocker.package == "django-oscar"
    assert blocker.version == "3.2.4"
    assert blocker.constraint == "django>=3.2,<4.3"
    assert blocker.chain == ("django-oscar==3.2.4", "django>=3.2,<4.3")
    assert blocker.reason == "django-oscar 3.2.4 requires django>=3.2,<4.3"


def test_of_several_constraints_that_of_the_version_in_use_is_named() -> None:
    failure = proofs.read(text("dragged"))
    (old,) = blockers.against(failure, "django", {"django-celery-beat": "2.2.1"})
    (new,) = blockers.against(failure, "django", {})
    assert old.constraint == "django>=2.2,<4.0"
    assert (new.version, new.constraint) == ("2.3.0", "django>=2.2,<4.1")


def test_what_uv_concludes_is_no_premise() -> None:
    failure = proofs.read(text("capped-range"))
    versions = [edge.versions for edge in failure.edges if edge.package == "django-oscar"]
    assert versions == [">=3.2.1a0,<=3.2.6", "==3.2"]


def test_chain_goes_through_the_packages_between() -> None:
    failure = proofs.read(
        "error: No solution found when resolving dependencies\n"
        "  cause: Because inner==1.0 depends on django<4 and outer==2.0 depends on inner<2, we can "
        "conclude that outer==2.0 depends on django<4.\n"
        "         And because you require outer==2.0 and django==5.2.*, we can conclude that your "
        "requirements are unsatisfiable."
    )
    (blocker,) = blockers.against(failure, "django", {})
    assert blocker.chain == ("outer==2.0", "inner==1.0", "django<4")


def test_a_long_proof_is_read_fast() -> None:
    started = time.perf_counter()
    proofs.read(text("long-python").replace("yanked", "yanked " * 20_000))
    assert time.perf_counter() - started < 2.0


def test_credentials_are_masked() -> None:
    assert proofs.mask(f"see {SECRET}/simple") == "see http://****@index.invalid/simple"
    assert proofs.mask("token abc", ("abc",)) == "token ****"
    assert "secret" not in proofs.read(text("build")).text


def test_only_the_end_of_a_build_is_shown() -> None:
    shown = proofs.explain(proofs.read(text("build")))
    assert shown.splitlines()[0] == "error: Failed to build `bad @ file:///project/bad`"
    assert "RuntimeError: cannot find libfoo" in shown
    assert "hint:" not in shown


# ------------------------------------------------------------------------------------ lock and diff


def test_a_lock_is_read_with_hashes_and_parents() -> None:
    lock = locks.parse(text("lock"))
    assert lock.django_release == "5.2.19"
    assert "uvicorn==0.54.0" in lock.pins
    assert lock.packages["six"].startswith("https://files.example.org/")
    assert lock.via["typing-extensions"] == ("anyio", "asgiref", "exceptiongroup", "uvicorn")
    assert lock.via["django"] == ("the project",)
    assert len(lock.hashes["asgiref"]) == 2
    assert lock.key == locks.pins_key(list(reversed(lock.pins)))


def test_the_written_requirements_are_read_back_as_the_same_lock() -> None:
    lock = locks.parse(text("lock"))
    again = locks.parse(resolve.requirements_text(lock))
    assert (again.pins, again.hashes) == (lock.pins, lock.hashes)


def test_diff_says_who_asked() -> None:
    before = lock_of("django==4.2.1", "gone==1", "kept==1", via={"gone": ("beat",)})
    after = lock_of(
        "beat==2.9", "django==5.2.1", "cron==1.4", "kept==1",
        via={"cron": ("kept", "beat"), "beat": ("the project",)},
    )  # fmt: skip
    after = msgspec.structs.replace(after, moves_why={"beat": "beat 2.2 requires django<4"})
    got = [(m.package, m.before, m.after, m.why, m.major) for m in resolve.diff(before, after)]
    assert got == [
        ("django", "4.2.1", "5.2.1", "the hop", True),
        ("beat", "", "2.9", "beat 2.2 requires django<4", False),
        ("cron", "", "1.4", "required by beat", False),
        ("gone", "1", "", "no longer required (was by beat)", False),
    ]


def test_equal_locks_do_not_differ() -> None:
    assert resolve.diff(lock_of("a==1"), lock_of("a==1")) == ()


# ------------------------------------------------------------------------------------- the attempts


def built(wanted: Request, previous: Lock | None = None, **stage: object) -> attempts.Attempt:
    return attempts.build(wanted, previous, Stage(**stage))  # type: ignore[arg-type]


def test_swap_replaces_django_and_leaves_the_rest() -> None:
    wanted = asked("Django[argon2]>=3.2,<4", "celery==5.0.5", "six", "x @ https://h/x-1.tar.gz")
    attempt = built(wanted)
    assert attempt.requirements["project.in"] == (
        "celery==5.0.5",
        "six",
        "x @ https://h/x-1.tar.gz",
    )
    assert attempt.requirements["django.in"] == ("django[argon2]==5.2.*",)
    assert attempt.seeds == ("celery==5.0.5",)
    assert attempt.constraints == ()


def test_calver_series() -> None:
    assert built(asked(django="2028")).requirements["django.in"] == ("django==2028.*",)


def test_what_django_requires_is_always_free() -> None:
    attempt = built(asked("asgiref==3.4.1", "pytz==2021.3", "typing_extensions<4"))
    assert attempt.requirements["project.in"] == (
        "asgiref>=3.4.1", "pytz>=2021.3", "typing_extensions",
    )  # fmt: skip
    assert "asgiref==3.4.1" in attempt.seeds


@pytest.mark.parametrize(
    ("written", "freed"),
    [
        ("a==1.0", "a>=1.0"),
        ("a[x,y]==1.0; python_version >= '3.6'", 'a[x,y]>=1.0 ; python_version >= "3.6"'),
        ("a==1.0+local", "a>=1.0"),
        ("a==1.0 --hash=sha256:abc", "a>=1.0"),
        ("a~=1.2.3", "a>=1.2.3"),
        ("a==1.2.*", "a>=1.2"),
        ("a>=1,<2,!=1.5", "a>=1,!=1.5"),
        ("a<2", "a"),
    ],
)
def test_a_freed_requirement_keeps_its_floor(written: str, freed: str) -> None:
    (line,) = built(asked(written), released=frozenset({"a"})).requirements["project.in"]
    wanted = Requirement(freed)
    got = Requirement(line)
    assert (got.specifier, got.extras, str(got.marker)) == (
        wanted.specifier, wanted.extras, str(wanted.marker),
    )  # fmt: skip


def test_the_lock_before_says_where_a_pin_stands_now() -> None:
    before = lock_of("beat==2.9", "django==4.2.1", "kombu==5.5", "rest==3.16", "six==1.17")
    attempt = built(asked("beat==2.2", "rest~=3.12.0", "six"), before)
    assert attempt.requirements["project.in"] == ("beat==2.9", "rest>=3.16", "six")
    assert set(attempt.constraints) == {"beat>=2.9", "kombu>=5.5", "rest>=3.16", "six>=1.17"}
    assert "django==4.2.1" not in attempt.seeds
    assert "kombu==5.5" in attempt.seeds


def test_frozen_holds_all_of_the_lock_before() -> None:
    before = lock_of("asgiref==3.5", "django==4.2.1", "kombu==5.5")
    assert built(asked(policy="frozen"), before).constraints == ("kombu==5.5",)


def test_latest_keeps_nothing() -> None:
    attempt = built(asked("a==1", "b<3", policy="latest"), lock_of("a==1", "b==2", "c==3"))
    assert attempt.requirements["project.in"] == ("a>=1", "b>=2")
    assert (attempt.seeds, attempt.constraints) == ((), ())


def test_suite_packages_give_way_to_the_projects_own() -> None:
    wanted = asked(
        "pytest==7.0", "mock; python_version < '3'", suite_packages=("pytest", "mock", "xdist")
    )
    assert built(wanted).requirements["suite.in"] == ("mock", "xdist")


def test_the_matrix_wins_over_project_and_series() -> None:
    wanted = asked("rest==3.12", packages=("rest==3.15", "Django @ git+https://h/django"))
    attempt = built(wanted)
    assert attempt.requirements["project.in"] == ()
    assert attempt.requirements["matrix.in"] == ("rest==3.15",)
    assert attempt.requirements["django.in"] == ("Django @ git+https://h/django",)
    assert request.holdable(wanted) == frozenset()


def test_constraints_on_django_are_dropped() -> None:
    wanted = asked("celery", constraints=("django<4", "kombu==5.0.2"))
    assert built(wanted).constraints == ("kombu==5.0.2",)
    assert request.replaced(wanted) == ("django<4",)


def test_argv() -> None:
    wanted = asked("six", exclude_newer="2026-01-01")
    attempt = built(wanted, without=frozenset({"oscar"}), wheels=frozenset({"pillow"}))
    words = attempts.argv("/bin/uv", wanted, attempt, Path("/f"), offline=True)
    assert words == (
        "/bin/uv", "pip", "compile", "--color", "never", "--no-progress", "--no-header",
        "--annotation-style", "split", "--generate-hashes", "--python", "/opt/python3.10",
        "--output-file", "/f/lock.txt", "--overrides", "/f/overrides.in",
        "--exclude-newer", "2026-01-01",
        "--exclude-newer-package", "setuptools=2100-01-01",
        "--exclude-newer-package", "wheel=2100-01-01",
        "--only-binary", "pillow", "--offline", "/f/project.in", "/f/django.in",
    )  # fmt: skip
    assert attempts.files(attempt)["overrides.in"] == "oscar ; python_version < '0'\n"


def test_a_series_younger_than_the_date_is_exempt_with_what_it_requires() -> None:
    assert "django" not in request.exempt(asked(exclude_newer="2025-04-03"))
    assert {"django", "asgiref"} <= set(request.exempt(asked(exclude_newer="2024-01-01")))
    assert request.exempt(asked(exclude_newer="2024-01-01", django="2040")) == (
        "setuptools",
        "wheel",
    )


def test_relative_paths_become_absolute() -> None:
    wanted = request.absolute(asked("x @ ./libs/x", "./libs/y", "a==1", "b"), "/p")
    assert wanted.requirements == ("x @ file:///p/libs/x", "/p/libs/y", "a==1", "b")
    assert request.locals_of(wanted) == ("x @ file:///p/libs/x", "/p/libs/y")


# --------------------------------------------------------------------------------------- the ladder


def test_satisfiable_takes_one_process(run: Run) -> None:
    script = Script(("celery==5.0.5", "django==5.2.19"))
    lock = run(asked("Django<4", "celery==5.0.5"), script)
    assert isinstance(lock, Lock)
    assert (lock.processes, lock.forced, lock.django_release) == (1, False, "5.2.19")
    assert lock.notes == ("'Django<4' of the project gives way to 'django==5.2.*'",)
    assert "lock.txt" in script.files[0], "the pins are preferences"


def test_only_the_pin_that_caps_django_is_released(run: Run) -> None:
    script = Script(text("capped"), ("django==5.2.19", "django-oscar==4.2.1", "six==1.10"))
    lock = run(asked("django-oscar==3.2.4", "six==1.10"), script)
    assert isinstance(lock, Lock)
    assert script.files[1]["project.in"] == "django-oscar>=3.2.4\nsix==1.10\n"
    assert lock.moves_why == {"django-oscar": "django-oscar 3.2.4 requires django>=3.2,<4.3"}
    assert not lock.forced


def test_a_released_package_may_drag_a_pin_along(run: Run) -> None:
    script = Script(text("dragged"), ("celery==5.2.3", "django==4.2.1", "django-celery-beat==2.4"))
    lock = run(asked("django-celery-beat>=2.2.1", "celery==5.0.5", django="4.2"), script)
    assert isinstance(lock, Lock)
    assert script.files[1]["project.in"] == "django-celery-beat>=2.2.1\ncelery>=5.0.5\n"
    assert lock.moves_why["celery"] == "django-celery-beat >=2.4.0 requires celery>=5.2.3"


def test_a_cap_that_no_release_lifts_is_forced_after_the_rest_has_moved(run: Run) -> None:
    proof = text("capped")
    script = Script(
        proof,
        proof.replace("==3.2.4", ">=3.2.4"),
        ("django==5.2.19", "six==1.17"),
        ("django==5.2.19", "django-oscar==3.2.4", "six==1.17"),
    )
    lock = run(asked("django-oscar==3.2.4", "six==1.10"), script)
    assert isinstance(lock, Lock)
    assert lock.forced
    assert [b.reason for b in lock.blockers] == ["django-oscar 3.2.4 requires django>=3.2,<4.3"]
    assert lock.blockers[0].chain[0] == "django-oscar==3.2.4"
    assert script.files[2]["overrides.in"] == "django-oscar ; python_version < '0'\n"
    assert script.files[3]["overrides.in"] == "django==5.2.*\n"
    assert "django-oscar==3.2.4" in script.files[3]["lock.txt"]


def test_frozen_is_forced_at_once(run: Run) -> None:
    script = Script(text("capped"), ("django==5.2.19", "django-oscar==3.2.4"))
    lock = run(asked("django-oscar==3.2.4", policy="frozen"), script)
    assert isinstance(lock, Lock)
    assert (lock.forced, lock.processes) == (True, 2)
    assert script.files[1]["project.in"] == "django-oscar==3.2.4\n"


def test_what_cannot_be_built_at_its_pin_is_released(run: Run) -> None:
    failed = "error: Failed to build `pillow==5.0.0`\n  cause: The build backend returned an error"
    script = Script(failed, ("django==5.2.19", "pillow==12.0"))
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
    script = Script(proof, ("django==5.2.19", "numpy==2.2"))
    lock = run(asked("numpy"), script, lock_of("django==5.2.19", "numpy==2.3"))
    assert isinstance(lock, Lock)
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
        ("gone-url", "missing", "foo is not at its URL"),
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


# ------------------------------------------------------------------------ infrastructure and cache


@pytest.mark.parametrize("name", ["dns", "server-error", "git"])
def test_a_silent_index_is_tried_three_times_and_is_no_verdict(run: Run, name: str) -> None:
    pauses: list[float] = []
    script = Script(*[text(name)] * 3)
    with pytest.raises(InfraError, match="does not answer") as caught:
        run(asked("six"), script, sleep=pauses.append)
    assert pauses == [1.0, 4.0]
    assert "secret" not in str(caught.value)


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
    assert caught.value.hint == "run once without --offline"


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
