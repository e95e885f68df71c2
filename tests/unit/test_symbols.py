"""Whether a failure is about what a warning named: messages as Django and Python write them."""

from __future__ import annotations

import msgspec
import pytest

from djhop.compare.symbols import Symbol, gone, link, subjects
from djhop.results.results import Deprecation, Failure, Owner

PROJECT = Owner("project")

#: The warning, the failure once it is removed, and what both are about.
PAIRS = [
    (
        "django.conf.urls.url() is deprecated in favor of django.urls.re_path().",
        "cannot import name 'url' from 'django.conf.urls' (/x/django/conf/urls/__init__.py)",
        "url",
    ),
    (
        "django.utils.encoding.force_text() is deprecated in favor of force_str().",
        "cannot import name 'force_text'",  # Python 3.6
        "force_text",
    ),
    (
        "The providing_args argument is deprecated. As it is purely documentational, it has no "
        "replacement. If you rely on this argument as documentation, you can move the text to a "
        "code comment or docstring.",
        "__init__() got an unexpected keyword argument 'providing_args'",
        "providing_args",
    ),
    (
        "'index_together' is deprecated. Use 'Meta.indexes' in 'taggit.TaggedItem' instead.",
        "'class Meta' got invalid attribute(s): index_together",
        "index_together",
    ),
    (
        "request.is_ajax() is deprecated. See Django 3.1 release notes for more details about this "
        "deprecation.",
        "'WSGIRequest' object has no attribute 'is_ajax'",
        "is_ajax",
    ),
    (
        "The {% ifequal %} template tag is deprecated in favor of {% if %}.",
        "Invalid block tag on line 3: 'ifequal', expected 'endblock'. Did you forget to register?",
        "ifequal",
    ),
    (
        "The django.utils.timezone.utc alias is deprecated. Please update your code to use "
        "datetime.timezone.utc instead.",
        "module 'django.utils.timezone' has no attribute 'utc'",
        "utc",
    ),
    (
        "CheckConstraint.check is deprecated in favor of `.condition`.",
        "CheckConstraint.__init__() got an unexpected keyword argument 'check'",
        "check",
    ),
    ("django.utils.itercompat is deprecated.", "No module named 'django.utils.itercompat'",
     "itercompat"),
    (
        "Passing None for the middleware get_response argument is deprecated.",
        "get_response must be provided.",
        "get_response",
    ),
    (
        "assertQuerysetEqual() is deprecated in favor of assertQuerySetEqual().",
        "'Tests' object has no attribute 'assertQuerysetEqual'",
        "assertQuerysetEqual",
    ),
]  # fmt: skip


def use(message: str, place: str = "app/a.py:1", **more: object) -> Deprecation:
    made = Deprecation(
        category="RemovedInDjango40Warning", message=message, place=place, owner=PROJECT,
        removed_in="4.0", in_target=True,
    )  # fmt: skip
    return msgspec.structs.replace(made, **more)


def failure(message: str, place: str = "app/b.py:5", exception: str = "TypeError") -> Failure:
    return Failure(exception=exception, message=message, owner=PROJECT, place=place)


@pytest.mark.parametrize(("warning", "error", "name"), PAIRS)
def test_removed_things_are_known_by_name(warning: str, error: str, name: str) -> None:
    assert name in {symbol.name for symbol in subjects(warning)}
    assert link(use(warning), failure(error)) == "symbol"
    assert link(use(warning), failure(error, "app/a.py:9")) == "file"
    assert link(use(warning), failure(error, "app/a.py:1")) == "line"
    theirs = msgspec.structs.replace(failure(error), owner=Owner("package", "x"))
    assert link(use(warning), theirs) is None


def test_no_pair_is_about_what_another_pair_is() -> None:
    for index, (warning, _, _) in enumerate(PAIRS):
        for other, (_, error, _) in enumerate(PAIRS):
            if index != other:
                assert link(use(warning), failure(error)) is None, (warning, error)
                assert link(use(warning), failure(error, "app/a.py:9")) is None


@pytest.mark.parametrize(
    ("warning", "error"),
    [
        # A function of a module is not an attribute of an object, nor of another's module.
        ("django.conf.urls.url() is deprecated.", "'Photo' object has no attribute 'url'"),
        ("django.conf.urls.url() is deprecated.", "cannot import name 'url' from 'shop.links'"),
        ("django.utils.six is deprecated.", "No module named 'six'"),
        # What is recommended is not what goes.
        ("x.url() is deprecated in favor of re_path().", "cannot import name 're_path'"),
        ("Calling x_y() is deprecated, use a_b() instead.", "a_b is wrong"),
        # Words are no names.
        ("'url' is deprecated.", "'url'"),
        ("The default value will change.", "The default value is wrong"),
        ("The old_name setting is deprecated.", "TypeError: not callable"),
    ],
)
def test_what_only_looks_alike_is_not_the_same(warning: str, error: str) -> None:
    assert link(use(warning), failure(error)) is None


def test_on_one_line_what_is_named_differently_is_another_thing() -> None:
    line = "app/a.py:1"
    other = "cannot import name 'url' from 'django.conf.urls'"
    assert link(use(PAIRS[1][0]), failure(other, line)) is None
    assert link(use(PAIRS[1][0]), failure("'NoneType' is not iterable", line)) == "line"


def test_a_check_on_the_line_is_told_from_a_failure_of_it() -> None:
    bad = failure("1 != 2", "app/a.py:1", "AssertionError")
    assert link(use(PAIRS[0][0]), bad) is None
    assert link(use(PAIRS[0][0], tests=("t",)), bad) == "check"


def test_a_place_outside_the_target_is_no_line_of_its() -> None:
    setting = use("The USE_L10N setting is deprecated.", "django/conf/__init__.py:222",
                  in_target=False)  # fmt: skip
    assert link(setting, failure("no", "django/conf/__init__.py:222")) is None
    assert link(setting, failure("USE_L10N is not there")) == "symbol"


def test_a_removed_thing_is_read_with_its_module() -> None:
    assert gone(PAIRS[0][1]) == {Symbol("url", "django.conf.urls")}
    assert gone("No module named django.utils.six") == {Symbol("six", "django.utils")}
    assert gone("'class Meta' got invalid attribute(s): a_b, c_d") == {
        Symbol("a_b"), Symbol("c_d")
    }  # fmt: skip
    assert gone("something else") == frozenset()
