"""The lines of an event log as types: the djhop side of what the probe writes."""

from __future__ import annotations

import msgspec

#: (file, line, function, source line).
Frame = tuple[str, int, str, str]
#: Failed subtests named of one test.
SUBTESTS_LIMIT = 20


class Exc(msgspec.Struct, frozen=True, gc=False):
    """An exception as the probe describes it; frames innermost last."""

    type: str = ""
    name: str = ""
    mro: tuple[str, ...] = ()
    message: str = ""
    frames: tuple[Frame, ...] = ()
    cause: Exc | None = None

    @property
    def chain(self) -> tuple[Exc, ...]:
        """The exception and what caused it, outermost first."""
        links: list[Exc] = []
        link: Exc | None = self
        while link is not None:
            links.append(link)
            link = link.cause
        return tuple(links)

    @property
    def is_warning(self) -> bool:
        """Whether it is a warning that the strict filter raised."""
        return "Warning" in self.mro

    @property
    def warning(self) -> Exc | None:
        """The first of the chain that is a warning."""
        return next((link for link in self.chain if link.is_warning), None)


class Printed(msgspec.Struct, frozen=True, gc=False):
    """What a failing test printed, masked, as far as its runner kept it: the head and the tail."""

    head: str = ""
    #: The end of what the head does not hold.
    tail: str = ""
    #: How many characters between the two are left out.
    left_out: int = 0

    @property
    def text(self) -> str:
        """Both, and how much is left out."""
        said = f"\n… {self.left_out:,} characters are left out …\n" if self.left_out else ""
        return f"{self.head}{said}{self.tail}"

    @property
    def size(self) -> int:
        """How many characters are kept."""
        return len(self.head) + len(self.tail)


class Seen(msgspec.Struct, gc=False):
    """What happened to one test in one pass."""

    pid: int = 0
    #: Begun and not ended.
    open: bool = False
    outcome: str = ""
    seconds: float = 0.0
    exc: Exc | None = None
    when: str = ""
    reason: str = ""
    #: Names of its subtests that failed, the first `SUBTESTS_LIMIT`.
    subtests: tuple[str, ...] = ()
    printed: Printed | None = None


class _Line(msgspec.Struct, tag_field="e", gc=False):
    """Any line; `t` is in seconds since 1970."""

    pid: int = 0


class Begin(_Line, tag="begin", gc=False):
    """The process has started."""

    python: str = ""
    django: str | None = None
    framework: str = ""
    mode: str = ""


class Refused(_Line, tag="refused", gc=False):
    """Another Django than the cell names."""

    expected: str | None = None
    found: str | None = None


class Fatal(_Line, tag="fatal", gc=False):
    """An exception outside the tests."""

    exc: Exc | None = None


class Collected(_Line, tag="collected", gc=False):
    """Tests that will run."""

    ids: tuple[str, ...] = ()


class Sharded(_Line, tag="shard", gc=False):
    """A part of the suite is run: which, and of how many tests, with what stands for their ids."""

    number: int = 1
    of: int = 1
    total: int = 0
    digest: str = ""


class Canary(_Line, tag="canary", gc=False):
    """Whether the strict filter is in force."""

    ok: bool = False
    id: str | None = None


class Raised(_Line, tag="raised", gc=False):
    """A DeprecationWarning became an error, in a test or outside; somebody may have caught it."""

    id: str | None = None


class Start(_Line, tag="start", gc=False):
    """A test begins."""

    id: str = ""


class Report(_Line, tag="report", gc=False):
    """A phase of a test, or a part of it, is over."""

    id: str = ""
    when: str = ""
    outcome: str = ""
    seconds: float = 0.0
    exc: Exc | None = None
    reason: str = ""
    sub: str | None = None
    printed: Printed | None = None


class Stop(_Line, tag="stop", gc=False):
    """A test is over."""

    id: str = ""


class Counting(_Line, tag="counting", gc=False):
    """Queries are counted from here on."""


class Queries(_Line, tag="queries", gc=False):
    """How often a test has asked each database; one that asked none is not named."""

    id: str = ""
    #: Alias of the connection → queries.
    n: dict[str, int] = {}


class CollectError(_Line, tag="collecterror", gc=False):
    """A module could not be collected."""

    id: str = ""
    exc: Exc | None = None


class ClassError(_Line, tag="classerror", gc=False):
    """What surrounds the tests of a class or module failed."""

    id: str = ""
    when: str = ""
    exc: Exc | None = None


class Warned(_Line, tag="warning", gc=False):
    """A warning was shown, or raised (`fatal`)."""

    category: str = ""
    category_module: str = ""
    mro: tuple[str, ...] = ()
    message: str = ""
    file: str = ""
    line: int = 0
    stack: tuple[tuple[str, int, str], ...] = ()
    when: str = ""
    id: str | None = None
    fatal: bool = False

    @property
    def place(self) -> tuple[object, ...]:
        """What equal warnings share, whatever called them."""
        return (self.category, self.message, self.file, self.line, self.id is None, self.fatal)

    @property
    def key(self) -> tuple[object, ...]:
        """What equal warnings share."""
        return (*self.place, self.stack)

    @property
    def is_deprecation(self) -> bool:
        """Whether `error::DeprecationWarning` concerns it."""
        return "DeprecationWarning" in self.mro

    @property
    def is_pending(self) -> bool:
        """Whether it foretells a deprecation: strict runs do not see it."""
        return "PendingDeprecationWarning" in self.mro


class Words(_Line, tag="note", gc=False):
    """Something a reader should know."""

    text: str = ""


class End(_Line, tag="end", gc=False):
    """The process ended by itself."""

    code: int | None = None
    ran: int = 0


class Ended(_Line, tag="ended", gc=False):
    """A test in which the process ended, as djhop saw it; `why`: "crash" or "hang"."""

    id: str = ""
    why: str = ""
    exc: Exc | None = None


Event = (
    Begin
    | Refused
    | Fatal
    | Collected
    | Sharded
    | Canary
    | Raised
    | Start
    | Report
    | Stop
    | Counting
    | Queries
    | CollectError
    | ClassError
    | Warned
    | Words
    | Ended
    | End
)
