"""What uv is asked at each stage."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from fake_uv import asked, lock_of
from packaging.requirements import Requirement

from djhop.resolve import attempts, request, staying
from djhop.resolve.attempts import Stage
from djhop.resolve.locks import Lock
from djhop.resolve.request import Request


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


def test_only_what_nobody_but_django_uses_gives_way_unasked() -> None:
    wanted = asked("asgiref==3.4.1", "pytz==2021.3", "bcrypt<4")
    assert built(wanted).requirements["project.in"] == (
        "asgiref>=3.4.1", "pytz==2021.3", "bcrypt<4",
    )  # fmt: skip
    assert "asgiref==3.4.1" in built(wanted).seeds
    assert staying.holdable(wanted) == {"pytz", "bcrypt"}  # released where a proof names them


def test_what_the_project_says_for_another_python_holds_nothing_here() -> None:
    split = (
        "idna==3.7; python_version < '3.10'",
        "idna==3.4; python_version >= '3.10'",
        "certifi==2023.7.22; python_version < '3.10'",
        "certifi>=2026.1; python_version >= '3.10'",
        "six==1.15; python_version < '3.10'",
        "six==1.16; python_version >= '3.10'",
    )
    before = lock_of("idna==3.7", "certifi==2023.7.22", "six==1.15", "django==5.2")
    attempt = built(asked(*split), before)
    here = {str(Requirement(one).specifier) for one in attempt.requirements["project.in"][1::2]}
    assert here == {"==3.4", ">=2026.1", "==1.16"}
    assert attempt.constraints == ()
    assert staying.held(asked(*split), before) == {"idna": "3.4", "six": "1.16"}


def test_a_project_that_contradicts_itself_is_not_helped_out_of_it_in_silence() -> None:
    wanted = asked("idna>=3.6", "six>1.16", constraints=("idna==3.4", "six==1.16"))
    attempt = built(wanted)
    assert attempt.requirements["project.in"] == ("idna>=3.6", "six>1.16")
    assert attempt.constraints == ("idna==3.4", "six==1.16")
    freed = built(wanted, released=frozenset({"idna"}))
    assert freed.requirements["project.in"] == ("idna>=3.6", "six>1.16")


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


def test_latest_keeps_the_ranges_and_nothing_else() -> None:
    wanted = asked("a==1", "b<3", "c~=1.0", pins=("b==1", "d==1"), policy="latest")
    attempt = built(wanted, lock_of("a==1", "b==2", "d==3"))
    assert attempt.requirements["project.in"] == ("a>=1", "b<3", "c~=1.0")
    assert (attempt.seeds, attempt.constraints) == ((), ())
    assert staying.holdable(wanted) == {"b", "c"}
    freed = built(wanted, None, released=frozenset({"b"}))
    assert freed.requirements["project.in"] == ("a>=1", "b", "c~=1.0")


def test_the_lock_file_is_kept_like_the_lock_before() -> None:
    pins = ("A==1.4", "b==1.9", "c==3.1", "deep==0.5", "deep==0.1; python_version < '3'")
    pins += ("django==3.2.1", "x @ https://h/x.whl")
    wanted = asked("a>=1", "b==2.0", "c<3", pins=pins)
    first = built(wanted)
    assert first.requirements["project.in"] == ("a>=1", "b==2.0", "c<3")
    assert first.seeds == ("a==1.4", "deep==0.5", "b==2.0"), "what the project excludes is not kept"
    assert first.constraints == ("a>=1.4", "deep>=0.5")
    later = built(wanted, lock_of("a==1.6", "django==4.2.1"))
    assert set(later.seeds) == {"a==1.6", "deep==0.5", "b==2.0"}
    frozen = built(msgspec.structs.replace(wanted, policy="frozen"))
    assert frozen.constraints == ("a==1.4", "deep==0.5")
    assert built(wanted, None, sunk=frozenset({"deep"})).constraints == ("a>=1.4",)


def test_markers_of_a_lock_file_of_pep_751_hold_where_no_group_and_no_extra_is_asked_for() -> None:
    pins = ("a==1 ; 'dev' in dependency_groups", "b==1 ; 'x' in extras", "c==1")
    pins += ("d==1 ; 'dev' not in dependency_groups",)
    assert built(asked("six", pins=pins)).seeds == ("c==1", "d==1")


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
    assert staying.holdable(wanted) == frozenset()


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
