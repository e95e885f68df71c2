"""Locks with real uv and real packages: what moves on a path, what blocks it, what it costs."""

from __future__ import annotations

import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import uv
from locking import ENVIRON, Lay, blocked, lock_of
from packaging.version import Version

from djhop.interpreters.interpreters import Interpreter
from djhop.resolve import resolve
from djhop.resolve.locks import Lock

pytestmark = pytest.mark.integration

#: A project of 2021.
PROJECT = (
    "Django>=2.2,<3",
    "django-celery-beat==2.2.1",
    "djangorestframework==3.12.4",
    "celery==5.0.5",
    "django-filter==2.4.0",
)
SHOP = ("Django~=3.2.0", "django-oscar==3.2.4", "django-celery-beat==2.2.1")
#: Late enough for the projects' pins, too early for any release of theirs that allows Django 5.2.
THEN = "2024-05-01"

#: Gives what plain uv says of some requirements: pins, or "" and its explanation.
Plain = Callable[..., tuple[str, str]]


@pytest.fixture
def plain(found: dict[str, Interpreter], tmp_path: Path) -> Plain:
    def ask(*lines: str, python: str = "3.10", options: tuple[str, ...] = ()) -> tuple[str, str]:
        asked = tmp_path / "plain.in"
        asked.write_text("\n".join(lines) + "\n")
        argv = [uv.find_uv_bin(), "pip", "compile", "--no-header", "--no-annotate", str(asked)]
        argv += ["-p", str(found[python].path), *options]
        done = subprocess.run(argv, env=ENVIRON, capture_output=True, text=True, check=False)
        return done.stdout, " ".join(done.stderr.split())

    return ask


def moved(before: Lock, after: Lock) -> set[str]:
    return {move.package for move in resolve.diff(before, after)}


def test_a_path_moves_only_what_must_move(lay: Lay) -> None:
    suite = {"suite_packages": ("pytest", "pytest-django")}
    first = lock_of(lay(PROJECT, "2.2", "3.8", **suite))
    assert first.django_release == "2.2.28"
    assert first.packages["django-celery-beat"] == "2.2.1"
    second = lock_of(lay(PROJECT, "3.2", "3.8", first, **suite))
    assert moved(first, second) == {"django", "asgiref"}
    assert second.processes == 1
    third = lock_of(lay(PROJECT, "3.2", "3.10", second, **suite))
    assert moved(second, third) <= {"backports-zoneinfo", "tzdata", "typing-extensions"}
    fourth = lock_of(lay(PROJECT, "4.2", "3.10", third, **suite))
    why = {move.package: move.why for move in resolve.diff(third, fourth)}
    assert why["django-celery-beat"] == "django-celery-beat 2.2.1 requires django>=2.2,<4.0"
    assert "celery" in why, "the newer beat needs a newer celery"
    assert fourth.packages["djangorestframework"] == "3.12.4"
    assert fourth.packages["django-filter"] == "2.4.0"
    assert not fourth.forced
    last = lock_of(lay(PROJECT, "5.2", "3.10", fourth, **suite))
    assert moved(fourth, last) == {"django", "django-celery-beat"}
    # What resolving afresh would change in the same step.
    fresh = lock_of(lay(PROJECT, "5.2", "3.10", fourth, policy="latest", **suite))
    assert len(moved(fourth, fresh)) > 5 * len(moved(fourth, last))
    for before, after in ((first, second), (third, fourth), (fourth, last)):
        old = before.packages
        sunk = [n for n, v in after.packages.items() if n in old and Version(v) < Version(old[n])]
        assert sunk == []


@pytest.mark.slow
def test_each_step_is_the_smallest(lay: Lay, plain: Plain) -> None:
    before = lock_of(lay(SHOP, "3.2", "3.10"))
    after = lock_of(lay(SHOP, "4.2", "3.10", before))
    last = lock_of(lay(SHOP, "5.2", "3.10", after))
    for old, new in ((before, after), (after, last)):
        ups = [m for m in resolve.diff(old, new) if m.direction == "upgraded"]
        names = {m.package for m in ups} - {"django", "asgiref", "sqlparse"}
        assert "django-celery-beat" in names
        for name in names:
            others = [pin for pin in new.pins if not pin.startswith(f"{name}==")]
            smaller = f"{name}>={old.packages[name]},<{new.packages[name]}"
            pins, why = plain(*others, smaller)
            assert (pins, "No solution found" in why) == ("", True), (smaller, why)
    assert "django-oscar" in moved(after, last)
    assert last.packages["django-oscar"] == "4.0"


@pytest.mark.slow
def test_what_a_lock_file_holds_moves_for_the_same_reasons(lay: Lay, plain: Plain) -> None:
    """The project asks for ranges only; no pin of its own is in uv's first proof."""
    ranges = tuple(text.partition("=")[0].rstrip("~") for text in SHOP)
    pins = tuple(text for text in SHOP if "==" in text)
    before = lock_of(lay(ranges, "4.2", "3.10", pins=(pins[0], "django-celery-beat==2.5.0")))
    after, counting = lay(ranges, "5.2", "3.10", before, pins=pins)
    assert isinstance(after, Lock)
    why = {m.package: m.why for m in resolve.diff(before, after) if m.direction == "upgraded"}
    assert why.pop("django") == "the hop"
    for name in ("django-oscar", "django-celery-beat"):
        requires = why.pop(name)
        assert requires.startswith(f"{name} {before.packages[name]} requires django")
        _, said = plain("django==5.2.*", f"{name}=={before.packages[name]}")
        assert requires.rpartition(" ")[2] in said, "as uv says of that conflict alone"
    assert why.pop("factory-boy") == "django-oscar 4.0 requires factory-boy>=3.3.1,<4.0.0"
    assert set(why.values()) <= {"required by django"}
    # One proof for each; the index is not asked again for them.
    assert sum("--offline" in done.argv for done in counting.ran) == 3
    assert lay(ranges, "5.2", "3.10", before, pins=pins)[1].ran == []


def test_the_reason_is_what_uv_says(lay: Lay, plain: Plain) -> None:
    before = lock_of(lay(SHOP, "4.2", "3.10"))
    after, counting = lay(SHOP, "5.2", "3.10", before)
    assert isinstance(after, Lock)
    _, said = plain("django==5.2.*", "django-oscar==3.2.4")
    assert "django-oscar==3.2.4 depends on django>=3.2,<4.3" in said
    assert after.moves_why["django-oscar"] == "django-oscar 3.2.4 requires django>=3.2,<4.3"
    assert after.moves_why["factory-boy"] == "django-oscar 4.0 requires factory-boy>=3.3.1,<4.0.0"
    assert (after.forced, after.processes) == (False, len(counting.ran))
    again, counting = lay(SHOP, "5.2", "3.10", before)
    assert (again, counting.ran) == (after, [])


def test_nothing_in_the_way_is_one_process(lay: Lay) -> None:
    wanted = ("django-filter==2.4.0", "whitenoise==5.3.0", "six")
    before = lock_of(lay(wanted, "3.2", "3.10"))
    after = lock_of(lay(wanted, "4.2", "3.10", before))
    assert (before.processes, after.processes) == (1, 1)
    assert moved(before, after) <= {"django", "asgiref", "sqlparse", "pytz"}


def test_what_a_lock_file_pins_stays_and_gives_way(lay: Lay) -> None:
    wanted = ("Django", "django-celery-beat>=2.0", "django-filter")
    pins = ("Django==3.2.4", "django-celery-beat==2.2.1", "django-filter==2.4.0", "celery==5.1.2",
            "kombu==5.1.0", "vine==5.0.0")  # fmt: skip
    first = lock_of(lay(wanted, "3.2", "3.10", pins=pins))
    named = {pin.lower().partition("==")[0]: pin.partition("==")[2] for pin in pins}
    assert {n: first.packages[n] for n in named if n != "django"}.items() <= named.items()
    after = lock_of(lay(wanted, "4.2", "3.10", first, pins=pins))
    assert after.packages["django-celery-beat"] == "2.5.0"
    assert after.packages["django-filter"] == "2.4.0"
    # The project jumps: the lock file's versions give way where they must, as those before do.
    jump = lock_of(lay(wanted, "4.2", "3.10", pins=pins))
    assert not jump.forced
    assert jump.packages["django-celery-beat"] == "2.5.0"
    assert jump.packages["django-filter"] == "2.4.0"


@pytest.mark.slow
def test_latest_is_what_plain_uv_gives(lay: Lay, plain: Plain) -> None:
    before = lock_of(lay(SHOP, "4.2", "3.10"))
    wanted = (*SHOP, "celery<5.4")
    fresh = lock_of(lay(wanted, "5.2", "3.10", before, policy="latest", pins=("kombu==5.0.2",)))
    said, _ = plain(
        "django==5.2.*", "django-oscar>=3.2.4", "django-celery-beat>=2.2.1", "celery<5.4"
    )
    assert fresh.pins == tuple(said.split("\n")[:-1])
    assert Version(fresh.packages["celery"]) < Version("5.4")


def test_latest_frees_a_cap_that_is_in_the_way(lay: Lay) -> None:
    wanted = ("django-celery-beat>=2.2,<2.3", "celery<5.4")
    fresh = lock_of(lay(wanted, "5.2", "3.10", policy="latest"))
    assert not fresh.forced
    assert Version(fresh.packages["django-celery-beat"]) >= Version("2.8")
    assert Version(fresh.packages["celery"]) < Version("5.4"), "what is not in the way holds"


def test_all_blockers_are_found_and_the_lock_is_forced(lay: Lay) -> None:
    before = lock_of(lay(SHOP, "3.2", "3.10", exclude_newer=THEN))
    after = lock_of(lay(SHOP, "5.2", "3.10", before, exclude_newer=THEN))
    assert after.forced
    assert sorted(blocker.reason for blocker in after.blockers) == [
        "django-celery-beat 2.2.1 requires django>=2.2,<4.0",
        "django-oscar 3.2.4 requires django>=3.2,<4.3",
    ]
    assert moved(before, after) <= {"django", "asgiref", "sqlparse", "pytz"}
    assert any("its date is free" in note for note in after.notes)
    assert {blocker.first_allowing for blocker in after.blockers} == {""}, "none before that date"
    assert [b.chain for b in after.blockers if b.package == "django-oscar"] == [
        ("django-oscar==3.2.4", "django>=3.2,<4.3")
    ]


@pytest.mark.slow
def test_a_transitive_cap_of_an_unpinned_package_never_sinks(lay: Lay) -> None:
    before = lock_of(lay(("django-oscar",), "3.2", "3.10", exclude_newer=THEN))
    after = lock_of(lay(("django-oscar",), "5.2", "3.10", before, exclude_newer=THEN))
    assert after.packages["django-oscar"] == before.packages["django-oscar"]
    assert after.forced


@pytest.mark.slow
def test_frozen_moves_django_alone_and_says_what_would_help(lay: Lay, plain: Plain) -> None:
    before = lock_of(lay(SHOP, "3.2", "3.10"))
    after = lock_of(lay(SHOP, "5.2", "3.10", before, policy="frozen"))
    assert after.forced
    assert moved(before, after) <= {"django", "asgiref", "sqlparse", "pytz", "typing-extensions"}
    assert {b.package for b in after.blockers} == {"django-oscar", "django-celery-beat"}
    for blocker in after.blockers:
        _, said = plain("django==5.2.*", f"{blocker.package}=={blocker.version}")
        assert f"{blocker.package}=={blocker.version} depends on {blocker.constraint}" in said
        first = blocker.first_allowing
        assert plain(f"django=={after.django_release}", f"{blocker.package}=={first}")[0]
        between = f"{blocker.package}>={blocker.version},<{first}"
        assert plain(f"django=={after.django_release}", between)[0] == ""


#: What each release requires; `djhop-test-theme` and `djhop-test-capped` are the project's own.
RELEASES = {
    "djhop-test-theme-1.0": ("djhop-test-inner",),
    "djhop-test-inner-1.0": ("django<4",),
    "djhop-test-capped-1.0": ("django<4", "djhop-test-deep"),
    "djhop-test-capped-1.5": ("django<5", "djhop-test-deep"),
    "djhop-test-capped-2.0": (),
    "djhop-test-capped-3.0": (),
    "djhop-test-deep-1.0": ("django<4",),
    "djhop-test-deep-2.0": (),
}


@pytest.fixture
def wheels(tmp_path: Path) -> dict[str, str]:
    """The environment in which uv finds `RELEASES` beside the index."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    for named, needs in RELEASES.items():
        name, _, version = named.rpartition("-")
        release = f"{name.replace('-', '_')}-{version}"
        about = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"]
        about += [f"Requires-Dist: {need}\n" for need in needs]
        with zipfile.ZipFile(folder / f"{release}-py3-none-any.whl", "w") as archive:
            archive.writestr(f"{release}.dist-info/METADATA", "".join(about))
            archive.writestr(
                f"{release}.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n"
            )
            archive.writestr(f"{release}.dist-info/RECORD", "")
    return {"UV_FIND_LINKS": str(folder)}


def test_blockers_deep_down_are_named_with_the_way_to_them(
    lay: Lay, wheels: dict[str, str]
) -> None:
    """All of them: nobody meets the deep one while the capped one, which asks for it, is out."""
    wanted = ("djhop-test-theme", "djhop-test-capped==1.0")
    before = lock_of(lay(wanted, "3.2", "3.10", env=wheels, pins=("djhop-test-deep==1.0",)))
    after = lock_of(lay(wanted, "4.2", "3.10", before, env=wheels, policy="frozen"))
    assert {b.package: (b.chain, b.first_allowing) for b in after.blockers} == {
        "djhop-test-capped": (("djhop-test-capped==1.0", "django<4"), "1.5"),
        "djhop-test-inner": (("djhop-test-theme", "djhop-test-inner==1.0", "django<4"), ""),
        "djhop-test-deep": (("djhop-test-capped==1.0", "djhop-test-deep==1.0", "django<4"), "2.0"),
    }
    assert {"djhop-test-capped==1.0", "djhop-test-deep==1.0", "djhop-test-inner==1.0"} <= set(
        after.pins
    )
    # Whatever can move does, in steps as small as can be, and what cannot is forced.
    moving = lock_of(lay(wanted, "4.2", "3.10", before, env=wheels))
    assert [b.package for b in moving.blockers] == ["djhop-test-inner"]
    assert {"djhop-test-capped==1.5", "djhop-test-deep==2.0", "djhop-test-inner==1.0"} <= set(
        moving.pins
    )
    last = lock_of(lay(wanted, "5.2", "3.10", moving, env=wheels))
    assert {"djhop-test-capped==2.0", "djhop-test-inner==1.0"} <= set(last.pins)
    why = {m.package: m.why for m in resolve.diff(moving, last)}
    assert why["djhop-test-deep"] == "no longer required (was by djhop-test-capped)"


@pytest.mark.slow
def test_a_date_gives_the_same_lock_again(lay: Lay) -> None:
    first = lock_of(lay(SHOP, "4.2", "3.10", exclude_newer=THEN))
    again, counting = lay(SHOP, "4.2", "3.10", exclude_newer=THEN, fresh=True)
    assert counting.ran
    assert again == first


@pytest.mark.parametrize(
    ("requirements", "django", "python", "kind", "reason"),
    [
        ((), "6.0", "3.10", "python", "Django 6.0 requires Python>=3.12, not 3.10"),
        ((), "2028", "3.12", "conflict", "there is no release of Django 2028"),
        (("ipython>=8.20",), "4.2", "3.8", "python", "ipython"),
        (("foo==",), "5.2", "3.12", "requirement", "a requirement cannot be read: foo=="),
    ],
)  # fmt: skip
def test_what_cannot_be(
    lay: Lay, requirements: tuple[str, ...], django: str, python: str, kind: str, reason: str
) -> None:
    answer = blocked(lay(requirements, django, python))
    assert answer.kind == kind
    assert answer.reason.startswith(reason)
    assert answer.processes == 1


def test_nothing_but_django_is_fine(lay: Lay) -> None:
    lock = lock_of(lay((), "5.2", "3.12"))
    assert lock.via["django"] == ("the hop",)
    assert set(lock.packages) == {"django", "asgiref", "sqlparse"}
    assert lock.hashes.keys() == lock.packages.keys()


def test_a_build_that_fails_says_why_and_where_the_log_is(lay: Lay, tmp_path: Path) -> None:
    package = tmp_path / "broken"
    package.mkdir()
    (package / "setup.py").write_text("raise RuntimeError('no libfoo; https://me:s3cret@host/')")
    answer = blocked(lay(("broken @ ./broken",), "5.2", "3.12"))
    assert (answer.kind, answer.reason) == ("build", "broken cannot be built on Python 3.12")
    assert answer.text.splitlines()[-1].strip() == "RuntimeError: no libfoo; https://****@host/"
    log = Path(answer.log).read_text(encoding="utf-8")
    assert "Traceback" in log
    assert "s3cret" not in log
