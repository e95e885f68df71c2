"""What uv 0.13.8 and 0.8.0 really said (`uv_texts/`), read as failures and blockers."""

from __future__ import annotations

import time

import pytest
from fake_uv import text

from djhop.resolve import blockers, proofs


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
        ("no-tag", "missing", "foo"),
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


@pytest.mark.parametrize(
    ("words", "kind"),
    [("404 File not found", "missing"), ("410 Away", "missing"), ("403 No", "credentials"),
     ("500 File not found", "network")],
)  # fmt: skip
def test_the_number_of_an_http_error_counts_and_not_its_words(words: str, kind: str) -> None:
    assert proofs.read(text("gone-url").replace("404 Not Found", words)).kind == kind


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
    assert "secret" not in proofs.read(text("build")).text


def test_only_the_end_of_a_build_is_shown() -> None:
    shown = proofs.explain(proofs.read(text("build")))
    assert shown.splitlines()[0] == "error: Failed to build `bad @ file:///project/bad`"
    assert "RuntimeError: cannot find libfoo" in shown
    assert "hint:" not in shown
