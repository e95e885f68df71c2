"""Fingerprints, by properties: same root, same cause; another root, another one."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from djhop.compare.causes import (
    Cause,
    Gathering,
    Sighting,
    death,
    label,
    loader_of,
    sightings_of,
)
from djhop.compare.fingerprints import fingerprint, same_root, spot, template
from djhop.results.passes import Pass
from djhop.results.results import CellResult, Failure, Owner
from djhop.results.results import Test as Case

NAMES = st.from_regex(r"[a-z][a-z_]{2,12}", fullmatch=True)
LINES = st.integers(1, 9999)


def gather(seen: Iterable[Sighting]) -> tuple[Cause, ...]:
    gathering = Gathering()
    gathering.take(seen)
    return gathering.causes()


def failure(
    message: str = "no such table: app_order",
    *,
    exception: str = "django.db.utils.OperationalError",
    place: str = "app/views.py:10",
    raised_at: str = "django/db/backends/utils.py:84",
    functions: tuple[str, str] = ("detail", "execute"),
    owner: str = "project",
    **more: str,
) -> Failure:
    def frame(at: str, function: str) -> tuple[str, int, str, str]:
        file, _, line = at.rpartition(":")
        return (file, int(line or 0), function, "")

    return Failure(
        exception=exception,
        message=message,
        owner=Owner(owner, "lib" if owner == "package" else ""),  # type: ignore[arg-type]
        place=place,
        raised_at=raised_at,
        frames=tuple(
            frame(at, f) for at, f in zip((place, raised_at), functions, strict=True) if at
        ),
        **more,  # type: ignore[arg-type]
    )


VARYING = (
    st.integers(0x1000, 2**48).map(hex),
    st.uuids().map(str),
    st.integers(0, 10**9).map(str),
    st.floats(0, 1000, allow_nan=False).map(lambda number: f"{number:.3f}"),
    st.datetimes().map(lambda moment: moment.isoformat(" ", "seconds")),
    st.lists(NAMES, min_size=2, max_size=5).map(
        lambda parts: "/" + "/".join(parts) + "/db.sqlite3"
    ),
)


@given(st.sampled_from(VARYING).flatmap(lambda kind: st.tuples(kind, kind)), LINES, LINES)
def test_what_varies_is_not_in_a_template(pair: tuple[str, str], one: int, other: int) -> None:
    """Addresses, ids, times, paths: two of one kind give one template."""
    first, second = (f"<Order object at {value}> is gone" for value in pair)
    assert template(first) == template(second)
    a = failure(first, place=f"app/views.py:{one}", raised_at=f"django/db/x.py:{other}")
    b = failure(second, place=f"app/views.py:{other}", raised_at=f"django/db/x.py:{one}")
    assert fingerprint(a) == fingerprint(b)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("<A object at 0x7f3a12>", "<A object at 0x55d0ffee00>"),
        ("Order 12 is gone", "Order 31337 is gone"),
        ("took 1.25 s", "took 0.003 s"),
        ("key 5f0c3a9e-1b2c-4d5e-8f90-a1b2c3d4e5f6", "key 00000000-1b2c-4d5e-8f90-a1b2c3d4e5f6"),
        ("at 2024-01-02 03:04:05", "at 2026-11-20T23:59:59.123+00:00"),
        ("file '/tmp/pytest-1/a/b.txt'", "file '/home/me/x/y.txt'"),
        (r"file 'C:\Users\me\b.txt'", r"file 'C:\Temp\y.txt'"),
        ("cannot import 'url' (/a/b/c.py)", "cannot import 'url' (/d/e.py)"),
        ("__init__() got 1 argument", "Signal.__init__() got 2 argument"),
        ("digest 9f86d081884c7d65", "digest 2c26b46b68ffc68f"),
        ("issues:\n(a.E001)\n(b.E002)", "issues:\n(b.E002)\n(a.E001)"),
    ],
)
def test_same_root(one: str, other: str) -> None:
    assert fingerprint(failure(one)) == fingerprint(failure(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("cannot import name 'url'", "cannot import name 'ugettext'"),
        ("no such table: app_order", "no such table: app_item"),
        ("unexpected keyword argument 'a'", "unexpected keyword argument 'b'"),
        ("issues:\n(a.E001)", "issues:\n(a.E002)"),
        ("python2 and md5", "python3 and md5"),
    ],
)
def test_different_root(one: str, other: str) -> None:
    assert fingerprint(failure(one)) != fingerprint(failure(other))


@given(NAMES, NAMES, LINES, LINES)
def test_line_shifts_keep_the_cause_and_functions_of_the_project_tell_it(
    one: str, other: str, line: int, moved: int
) -> None:
    def at(function: str, number: int) -> Failure:
        return failure(place=f"app/views.py:{number}", functions=(function, "execute"))

    assert fingerprint(at(one, line)) == fingerprint(at(one, moved))
    assert (fingerprint(at(one, line)) == fingerprint(at(other, line))) == (one == other)


@given(st.lists(NAMES, min_size=2, max_size=30, unique=True))
def test_tests_that_call_one_removed_function_are_one_cause(names: list[str]) -> None:
    seen = [
        Sighting(
            failure=failure(
                "assertFormError() got an unexpected keyword argument 'response'",
                exception="TypeError",
                place=f"tests/test_{name}.py:{n + 1}",
                raised_at=f"tests/test_{name}.py:{n + 1}",
                functions=(f"test_{name}", f"test_{name}"),
            ),
            cell="py3.12-django5.0",
            tests=(f"tests/test_{name}.py::test",),
        )
        for n, name in enumerate(names)
    ]
    (cause,) = gather(seen)
    assert len(cause.tests) == len(names)


def test_failed_checks_stay_apart_by_file_and_by_what_they_compare() -> None:
    def check(message: str, place: str) -> str:
        return fingerprint(
            failure(message, exception="AssertionError", place=place, raised_at=place)
        )

    assert check("404 != 200", "tests/test_a.py:1") == check("404 != 200", "tests/test_a.py:99")
    assert check("404 != 200", "tests/test_a.py:1") != check("404 != 200", "tests/test_b.py:1")
    assert check("404 != 200", "tests/test_a.py:1") != check("500 != 200", "tests/test_a.py:1")
    assert check("id 123456 != 1", "tests/test_a.py:1") == check(
        "id 99999 != 1", "tests/test_a.py:1"
    )


def test_a_package_failure_is_one_cause_wherever_it_was_called_from() -> None:
    one = failure(place="app/a.py:1", functions=("f", "get"), owner="package")
    other = failure(place="tests/test_b.py:7", functions=("test_b", "get"), owner="package")
    assert fingerprint(one) == fingerprint(other)


def test_moving_within_django_keeps_the_root() -> None:
    old = failure(
        exception="django.urls.exceptions.NoReverseMatch", raised_at="django/urls/base.py:9"
    )
    new = failure(exception="django.core.urls.NoReverseMatch", raised_at="django/core/urls.py:70")
    assert fingerprint(old) == fingerprint(new)
    assert same_root(old, new)


def test_recursion_ends_anywhere() -> None:
    one = failure("maximum depth", exception="RecursionError", place="a.py:1")
    assert spot(one) == ""


def test_gathering_ranks_by_tests_and_keeps_the_first_place() -> None:
    few, many = failure("few"), failure("many", place="")
    placed = msgspec.structs.replace(many, place="app/urls.py:3")
    gathering = Gathering()
    gathering.take([Sighting(failure=few, cell="c1", tests=("a",))])
    gathering.take([Sighting(failure=many, cell="c1", tests=("b", "c"), module="m", hop="h")])
    causes = gathering.causes()
    assert [cause.tests for cause in causes] == [("b", "c"), ("a",)]
    assert causes[0].hops == ("h",)
    both = gather([
        Sighting(failure=msgspec.structs.replace(placed, place=""), cell="c1", tests=("b",)),
        Sighting(failure=msgspec.structs.replace(many, raised_at=many.raised_at), cell="c2"),
    ])  # fmt: skip
    assert [cause.cells for cause in both] == [("c1", "c2")]


@given(st.lists(st.tuples(st.sampled_from("xyz"), st.sampled_from("abcdef")), max_size=30))
def test_every_test_is_behind_exactly_the_causes_it_was_seen_with(
    seen: list[tuple[str, str]],
) -> None:
    causes = gather(Sighting(failure=failure(f"name '{m}'"), cell="c", tests=(t,)) for m, t in seen)
    assert {(fingerprint(failure(f"name '{m}'")), t) for m, t in seen} == {
        (cause.id, test) for cause in causes for test in cause.tests
    }
    assert [len(c.tests) for c in causes] == sorted((len(c.tests) for c in causes), reverse=True)


def cell(**more: object) -> CellResult:
    return msgspec.structs.replace(
        CellResult(id="py3.12-django5.2", django="5.2", python="3.12", status="failed"), **more
    )


@pytest.mark.parametrize(
    ("when", "place"),
    [
        ("setup", "tests/conftest.py:7"),  # a fixture of pytest's
        ("setUpClass", "tests/test_a.py:4"),  # the tests of a class, as unittest has it
    ],
)
def test_what_fails_around_many_tests_is_one_cause(when: str, place: str) -> None:
    tests = [
        Case(
            id=f"tests/test_a.py::A::test_{name}",
            strict="error",
            plain="error",
            failure=failure(f"cannot open 0x{number}: no such table", place=place, when=when),
        )
        for number, name in enumerate("abc", 1000)
    ]
    (cause,) = gather(sightings_of(cell(tests=tuple(tests))))
    assert (len(cause.tests), cause.place) == (3, place)


def test_label_writes_the_cause_into_every_failing_test() -> None:
    why = failure()
    labelled = label(cell(tests=(Case(id="a", plain="passed"), Case(id="b", failure=why))))
    assert [test.cause for test in labelled.tests] == ["", fingerprint(why)]


def test_tracebacks_beyond_the_first_keep_what_tells_the_cause() -> None:
    why = failure()
    frames = (
        ("a.py", 1, "outer", ""),
        *why.frames,
        ("django/db/backends/utils.py", 84, "execute", ""),
    )
    why = msgspec.structs.replace(why, frames=frames)
    made = label(cell(tests=tuple(Case(id=str(n), failure=why) for n in range(30)))).tests
    kept = [test.failure for test in made if test.failure]
    assert {len(one.frames) for one in kept[:20]} == {4}
    assert {len(one.frames) for one in kept[20:]} == {2}
    assert {fingerprint(one) for one in kept} == {made[0].cause}


def test_death_prefers_what_is_no_warning() -> None:
    warned, broken = failure("old", warning="DeprecationWarning"), failure("gone")
    assert death(cell(failures=(("strict", warned), ("plain", broken)))) == broken
    assert death(cell(failures=(("strict", warned),))) == warned
    silent = death(cell(status="crashed", reason="signal 11"))
    assert (silent.exception, silent.message) == ("crashed", "signal 11")
    assert silent.owner == Owner("environment")
    in_a_test = death(
        cell(status="crashed", passes=(Pass(mode="strict", died="crash", running="a"),))
    )
    assert in_a_test.owner == Owner("project")


@pytest.mark.parametrize(
    ("test", "module"),
    [
        ("tests/test_a.py::A::test[x/y.z::w]", "tests/test_a.py"),
        ("tests.test_a.A.test_x", "tests.test_a"),
        ("tests/test_ab.py::test", None),
        ("other.tests.test", None),
    ],
)
def test_loader_of(test: str, module: str | None) -> None:
    found = loader_of(test, {"tests/test_a.py": failure(), "tests.test_a": failure()})
    assert (found[0] if found else None) == module


def test_failures_of_a_whole_pass_have_no_module() -> None:
    found = list(sightings_of(cell(failures=(("plain", failure()), ("tests/a.py", failure())))))
    assert [sighting.module for sighting in found] == ["", "tests/a.py"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("no file 'thumb-20x20_q85.jpg'", "no file 'thumb-80x80.jpg'"),
        ("'user-17' is gone", "'user-4' is gone"),
        ("Add 'b' to app.tests.One.databases", "Add 'b' to app.tests.Two.databases"),
        ('"ann@example.org" is taken', '"bob@example.org" is taken'),
    ],
)
def test_quoted_values_that_are_data_do_not_tell_a_root(one: str, other: str) -> None:
    assert fingerprint(failure(one)) == fingerprint(failure(other))
    assert template("'a-1' != 'b-1'", check=True) == "'a-1' != 'b-1'"


@pytest.mark.parametrize("name", ["ugettext2", "django.conf.urls2", "python2", "foo-bar"])
def test_quoted_names_of_code_do(name: str) -> None:
    assert f"'{name}'" in template(f"cannot import name '{name}'")


CHAINS = st.lists(NAMES, max_size=3)


@given(CHAINS, CHAINS, NAMES, NAMES)
def test_what_wraps_a_root_does_not_change_it(
    one: list[str], other: list[str], name: str, another: str
) -> None:
    """The root of a chain is told by what began it, however it is wrapped further out."""

    def wrapped(chain: list[str], root: str) -> Failure:
        said = f"cannot import name '{root}' from 'lib'"
        if not chain:
            return failure(said, exception="ImportError")
        outer = failure(" ".join(chain), exception="django.template.InvalidTemplateLibrary")
        return msgspec.structs.replace(outer, root="ImportError", root_message=said)

    assert fingerprint(wrapped(one, name)) == fingerprint(wrapped(other, name))
    assert same_root(wrapped(one, name), wrapped(other, name))
    same = fingerprint(wrapped(one, name)) == fingerprint(wrapped(other, another))
    assert same == (name == another)


def test_a_cause_says_what_is_known_of_it_and_whose_it_is_why() -> None:
    said = "cannot import name 'url' from 'django.conf.urls' (/x/__init__.py)"
    gone = failure(said, exception="ImportError", why="the innermost frame")
    (cause,) = gather([Sighting(failure=gone, cell="py3.10-django4.2", tests=("a",))])
    assert cause.known is not None and cause.known.id == "django.conf.urls.url"
    assert cause.why == "the innermost frame"
    (cause,) = gather([Sighting(failure=gone, cell="py3.10-django3.2", tests=("a",))])
    assert cause.known is None
    outer = failure("Invalid template library specified", root="ImportError", root_message=said)
    (cause,) = gather([Sighting(failure=outer, cell="py3.10-django4.2")])
    assert cause.known is not None and cause.known.id == "django.conf.urls.url"
