"""What a target's suite is, and the one of which djhop knows nothing but what it writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from djhop.errors import UsageError

if TYPE_CHECKING:
    from djhop.matrix.config import Matrix

SuiteKind = Literal["pytest", "django", "command"]


class Suite(msgspec.Struct, frozen=True, kw_only=True):
    """How the target's tests are run."""

    kind: SuiteKind
    #: pytest: the arguments after `pytest`. django: what follows `python`, such as
    #: ("manage.py", "test") or ("-m", "django", "test", "--settings=tests.settings").
    #: command: all of it.
    argv: tuple[str, ...]
    #: command: the JUnit XML files that it writes, a glob relative to the target.
    junit: str = ""
    settings: str = ""
    #: Whether pytest-django is part of it: it must not be put where it is not used.
    pytest_django: bool = False
    #: Where it was read: "pytest.ini", "manage.py", "tox.ini", "matrix".
    source: str = ""
    #: Directory to run it in, relative to the target; "" for its root.
    working_directory: str = ""
    #: Variables that the owners set for it.
    environment: tuple[tuple[str, str], ...] = ()
    #: pytest plugins that its configuration needs and the requirements do not name.
    plugins: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """The command as one would type it."""
        heads: dict[SuiteKind, tuple[str, ...]] = {"pytest": ("pytest",), "django": ("python",)}
        return (*heads.get(self.kind, ()), *self.argv)


def any_command(matrix: Matrix, environment: tuple[tuple[str, str], ...]) -> Suite:
    """The suite of a matrix that names a command and the JUnit XML files that it writes.

    Raises:
        UsageError: there is no command, or the files are none of the target's.
    """
    pattern, folder = matrix.junit, matrix.working_directory
    if not matrix.test:
        raise UsageError(
            f"junit: {pattern!r} is given, and no `test` that writes it",
            hint='name the command as well: test = ["make", "test"]',
        )
    if pattern.startswith(("/", "~")) or ".." in pattern.split("/"):
        raise UsageError(
            f"junit: {pattern!r} leads out of the project",
            hint='name files in it: junit = "reports/*.xml"',
        )
    if any("**" in part and part != "**" for part in pattern.split("/")) or pattern == ".":
        raise UsageError(
            f"junit: {pattern!r} is no glob of files",
            hint='"**" stands for folders, alone: junit = "reports/**/*.xml"',
        )
    return Suite(
        kind="command",
        argv=matrix.test,
        junit=pattern,
        settings=matrix.settings,
        source="matrix",
        working_directory="" if folder == "." else folder,
        environment=environment,
    )
