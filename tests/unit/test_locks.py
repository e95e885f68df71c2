"""Locks as uv writes them and djhop writes them again, and what moves between two."""

from __future__ import annotations

import msgspec
from fake_uv import lock_of, text

from djhop.resolve import locks, moves, resolve
from djhop.resolve.blockers import Blocker


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
        "beat==2.9", "django==5.2.1", "cron==1.4", "kept==1", "new==1",
        via={"cron": ("kept", "beat"), "new": ("kept",), "beat": ("the project",)},
    )  # fmt: skip
    why = moves.reasons(before, after, {"beat": "beat 2.2 requires django<4"})
    after = msgspec.structs.replace(after, moves_why=why)
    got = [(m.package, m.direction, m.why, m.major) for m in resolve.diff(before, after)]
    assert got == [
        ("django", "upgraded", "the hop", True),
        ("beat", "added", "beat 2.2 requires django<4", False),
        ("cron", "added", "required by beat", False),
        ("gone", "removed", "no longer required (was by beat)", False),
        ("new", "added", "required by kept", False),
    ]


def test_equal_locks_do_not_differ() -> None:
    assert resolve.diff(lock_of("a==1"), lock_of("a==1")) == ()


def test_what_nobody_asks_for_is_pruned() -> None:
    lock = locks.parse(
        "beat==2.3\n    # via -r moved.in\n    # via -r project.in\n"
        "field==5.0 \\\n    --hash=sha256:1\n    # via -r moved.in\n"
        "pytz==2021\n    # via field\n"
    )
    assert lock.via == {"beat": ("the project",), "field": (), "pytz": ("field",)}
    kept = locks.pruned(lock)
    assert (kept.pins, kept.hashes, kept.via) == (("beat==2.3",), {}, {"beat": ("the project",)})
    assert kept.key == locks.pins_key(["beat==2.3"])


def test_one_package_without_hashes_and_the_file_has_none() -> None:
    lock = locks.parse("a==1 \\\n    --hash=sha256:1\nb @ git+https://me:s3cret@h/b@abc\n")
    assert resolve.requirements_text(lock) == (
        "# Without hashes, because these have none: b @ git+https://****@h/b@abc\n"
        "# Put the credentials back before use: b @ git+https://****@h/b@abc\n"
        "a==1\nb @ git+https://****@h/b@abc\n"
    )


def test_a_forced_file_says_what_pip_needs() -> None:
    oscar = Blocker(package="oscar", version="3.2", constraint="django<5")
    lock = msgspec.structs.replace(lock_of("oscar==3.2"), forced=True, blockers=(oscar,))
    assert resolve.requirements_text(lock).splitlines()[:2] == [
        "# Forced: oscar 3.2 requires django<5.",
        "# pip takes it with --no-deps, uv pip sync as it is.",
    ]
