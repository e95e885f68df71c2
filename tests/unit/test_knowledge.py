"""What failures and warnings tell of removals; messages as Django and Python say them."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from djhop import releases
from djhop.knowledge.explain import Known, explain, of_warning
from djhop.knowledge.table import Removal, load
from djhop.releases import version_key
from djhop.reports.known import sentence
from djhop.results.results import Failure, Owner

T = "django.utils.translation"
SYNTAX = "django.template.exceptions.TemplateSyntaxError"


def told(exception: str, message: str, **more: str) -> str:
    """The id of what is known of a failure, or ""."""
    failure = Failure(exception=exception, message=message, owner=Owner("project"))
    found = explain(failure, **more)  # type: ignore[arg-type]
    return found.id if found else ""


@pytest.mark.parametrize(
    ("exception", "message", "known"),
    [
        (
            "ImportError",
            f"cannot import name 'ugettext_lazy' from '{T}' (/a/b.py)",
            f"{T}.ugettext_lazy",
        ),
        (
            "ImportError",
            "cannot import name 'url' from 'django.conf.urls' (/x)",
            "django.conf.urls.url",
        ),
        ("AttributeError", f"module '{T}' has no attribute 'ugettext'", f"{T}.ugettext"),
        (
            "django.template.library.InvalidTemplateLibrary",
            "Invalid template library specified. ImportError raised when trying to load "
            f"'app.templatetags.a': cannot import name 'ugettext' from '{T}' (/x)",
            f"{T}.ugettext",
        ),
        ("ModuleNotFoundError", "No module named 'django.utils.six'", "django.utils.six"),
        ("ModuleNotFoundError", "No module named 'distutils'", "distutils"),
        ("ModuleNotFoundError", "No module named 'imp'", "imp"),
        ("ModuleNotFoundError", "No module named 'pkg_resources'", "pkg_resources"),
        (
            "ImportError",
            "cannot import name 'Mapping' from 'collections' (/x)",
            "collections.Mapping",
        ),
        (
            "AttributeError",
            "module 'collections' has no attribute 'Callable'",
            "collections.Callable",
        ),
        (
            "AttributeError",
            "'WSGIRequest' object has no attribute 'is_ajax'",
            "django.http.HttpRequest.is_ajax",
        ),
        (
            "AttributeError",
            "'UploadStorage' object has no attribute 'created_time'",
            "django.core.files.storage.Storage.created_time",
        ),
        (
            "AttributeError",
            "'CartTests' object has no attribute 'assertEquals'",
            "unittest.TestCase.assertEquals",
        ),
        (
            "AttributeError",
            "'Settings' object has no attribute 'DEFAULT_FILE_STORAGE'",
            "DEFAULT_FILE_STORAGE",
        ),
        (
            "TypeError",
            "Signal.__init__() got an unexpected keyword argument 'providing_args'",
            "django.dispatch.Signal(providing_args)",
        ),
        (
            "TypeError",
            "make_aware() got an unexpected keyword argument 'is_dst'",
            "django.utils.timezone.make_aware(is_dst)",
        ),
        (
            "TypeError",
            "'class Meta' got invalid attribute(s): index_together",
            "Meta.index_together stopped working",
        ),
        (
            "TypeError",
            "__init__() missing 1 required positional argument: 'on_delete'",
            "ForeignKey and OneToOneField without on_delete stopped working",
        ),
        (
            SYNTAX,
            "Invalid block tag on line 3: 'ifequal', expected 'endblock'. Did you forget to "
            "register or load this tag?",
            "ifequal",
        ),
        (
            SYNTAX,
            "'staticfiles' is not a registered tag library. Must be one of:\nadmin_list",
            "staticfiles",
        ),
        (SYNTAX, "Invalid filter: 'length_is'", "length_is"),
        (
            "django.core.exceptions.ImproperlyConfigured",
            "'django.db.backends.postgresql_psycopg2' isn't an available database backend or "
            "couldn't be imported.",
            "django.db.backends.postgresql_psycopg2",
        ),
    ],
)  # fmt: skip
def test_a_failure_tells_of_a_removal(exception: str, message: str, known: str) -> None:
    assert told(exception, message) == known


@pytest.mark.parametrize(
    ("exception", "message"),
    [
        ("ImportError", "cannot import name 'url' from 'shop.urls' (/x)"),
        ("ImportError", "cannot import name 'url'"),
        ("AttributeError", "module 'shop' has no attribute 'ugettext'"),
        ("AttributeError", "'Order' object has no attribute 'is_ajax'"),
        ("AttributeError", "'Order' object has no attribute 'DEFAULT_FILE_STORAGE'"),
        ("ModuleNotFoundError", "No module named 'shop.imp'"),
        ("ModuleNotFoundError", "No module named 'important'"),
        # Below a package that was there: one of the project's own.
        ("ModuleNotFoundError", "No module named 'imp.loader'"),
        ("AttributeError", "'Order' object has no attribute 'created_time'"),
        ("AttributeError", "'Audit' object has no attribute 'log_action'"),
        ("AttributeError", "'NoneType' object has no attribute 'assertFormsetError'"),
        ("TypeError", "Order.__init__() got an unexpected keyword argument 'providing_args'"),
        ("TypeError", "__init__() got an unexpected keyword argument 'check'"),
        ("TypeError", "'bool' object is not callable"),
        ("AssertionError", "404 != 200"),
    ],
)
def test_what_only_looks_like_it_does_not(exception: str, message: str) -> None:
    assert told(exception, message) == ""


def test_the_line_tells_what_old_pythons_do_not_say() -> None:
    gone = "django.conf.urls.url"
    line = "from django.conf.urls import include, url"
    assert told("ImportError", "cannot import name 'url'", source=line) == gone
    keyword = "__init__() got an unexpected keyword argument 'providing_args'"
    assert told("TypeError", keyword, source="done = Signal(providing_args=[])").endswith("args)")
    assert told("TypeError", keyword, source="done = Custom(1)") == ""
    call = told("TypeError", "'bool' object is not callable", source="if u.is_anonymous():")
    assert call == "is_authenticated() and is_anonymous() stopped being methods"


def test_what_the_cell_still_has_is_no_reason() -> None:
    gone = ("ImportError", "cannot import name 'url' from 'django.conf.urls' (/x)")
    assert told(*gone, django="3.2") == ""
    assert told(*gone, django="4.0") == told(*gone, django="2028") == "django.conf.urls.url"
    assert told("ModuleNotFoundError", "No module named 'imp'", python="3.9") == ""
    assert told("ModuleNotFoundError", "No module named 'imp'", python="3.12") == "imp"


@pytest.mark.parametrize(
    ("category", "message", "known"),
    [
        (
            "RemovedInDjango40Warning",
            f"{T}.ugettext_lazy() is deprecated in favor of {T}.gettext_lazy().",
            f"{T}.ugettext_lazy",
        ),
        (
            "django.utils.deprecation.RemovedInDjango40Warning",
            "The providing_args argument is deprecated. As it is purely documentational, it has no "
            "replacement.",
            "django.dispatch.Signal(providing_args)",
        ),
        (
            "RemovedInDjango40Warning",
            "django.contrib.postgres.fields.jsonb.KeyTransform is deprecated in favor of "
            "django.db.models.fields.json.KeyTransform.",
            "django.contrib.postgres.fields.jsonb.KeyTransform",
        ),
        (
            "RemovedInDjango50Warning",
            "The default value of USE_TZ will change from False to True in Django 5.0.",
            "USE_TZ became True by default",
        ),
        (
            "DeprecationWarning",
            "datetime.datetime.utcnow() is deprecated and …",
            "datetime.datetime.utcnow",
        ),
        ("DeprecationWarning", "'cgi' is deprecated and slated for removal in Python 3.13", "cgi"),
        (
            "UserWarning",
            "pkg_resources is deprecated as an API. See https://setuptools.pypa.io",
            "pkg_resources",
        ),
        ("DeprecationWarning", "shop.pay() is deprecated", ""),
        ("RemovedInDjango50Warning", "shop.ugettext_lazy() is deprecated", ""),
    ],
)  # fmt: skip
def test_a_warning_tells_of_a_removal(category: str, message: str, known: str) -> None:
    found = of_warning(category, message)
    assert (found.id if found else "") == known


def test_a_failure_by_a_warning_is_read_as_one() -> None:
    said = "django.conf.urls.url() is deprecated in favor of django.urls.re_path()."
    name = "RemovedInDjango40Warning"
    failure = Failure(exception=name, message=said, owner=Owner("project"), warning=name)
    found = explain(failure, django="3.2")
    assert found is not None and found.id == "django.conf.urls.url"


def row(name: str) -> Known:
    (found,) = (one for one in load() if one.id == name)
    failure = told_of(found)
    assert failure is not None
    return failure


def told_of(found: Removal) -> Known | None:
    message = f"cannot import name '{found.name}' from '{found.symbol.rpartition('.')[0]}' (/x)"
    return explain(Failure(exception="ImportError", message=message, owner=Owner("project")))


def test_the_sentence_says_what_when_and_what_to_write() -> None:
    assert sentence(row(f"{T}.ugettext_lazy")) == (
        "django.utils.translation.ugettext_lazy was removed in Django 4.0 (deprecated since 3.0): "
        "use gettext_lazy(); django-upgrade rewrites it"
    )
    assert sentence(
        of_warning("DeprecationWarning", "datetime.datetime.utcnow() is deprecated")
    ) == (
        "datetime.datetime.utcnow is deprecated since Python 3.12: use "
        "datetime.datetime.now(datetime.UTC)"
    )
    signal = of_warning("RemovedInDjango40Warning", "The providing_args argument is deprecated.")
    assert sentence(signal).startswith(
        "the argument providing_args of django.dispatch.Signal was removed in Django 4.0"
    )
    assert sentence(None) == ""


def test_every_import_that_fails_is_told_of() -> None:
    """What can be imported by name: each row explains the ImportError that its removal gives."""
    names = [one for one in load() if one.kind == "name" and one.removed]
    silent = [one.id for one in names if (found := told_of(one)) is None or found.id != one.id]
    assert silent == []


def test_the_table_is_sound() -> None:
    rows = load()
    assert len({one.id for one in rows}) == len(rows)
    series = {one.version for one in releases.load().series} | {"1.9", "1.10"}
    for one in rows:
        assert one.notes.startswith("https://"), one.id
        if one.axis == "django":
            assert {one.deprecated, one.removed} <= series | {""}, one.id
        if one.deprecated and one.removed:
            assert version_key(one.deprecated) < version_key(one.removed), one.id
        for pattern in (one.match, one.source, one.warns):
            re.compile(pattern)
        if one.kind == "behaviour":
            assert one.match or one.warns, one.id
        if one.shim is not None:
            wanted = {"argument": "drop", "setting": "default"}.get(one.kind, "alias")
            assert getattr(one.shim, wanted) not in ("", None), one.id


def test_the_head_of_the_table_explains_every_field() -> None:
    head = files("djhop").joinpath("data/removals.toml").read_text("utf-8").partition("[[")[0]
    for field in Removal.__struct_fields__:
        assert re.search(rf"\b{field}\b", head), field
