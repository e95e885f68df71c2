"""A failure as Python prints one, for readers that show text."""

from __future__ import annotations

from collections.abc import Iterator

from djhop.results.results import Failure, Test


def text(failure: Failure, test: Test | None, *, whole: bool = True) -> str:
    """Return a failure as Python would print it; its frames only where it is told `whole`."""
    return "\n".join(_lines(failure, test, whole))


def _lines(failure: Failure, test: Test | None, whole: bool) -> Iterator[str]:
    if failure.frames and whole:
        yield "Traceback (most recent call last):"
        for file, line, function, source in failure.frames:
            yield f'  File "{file}", line {line}, in {function}'
            if source:
                yield f"    {source.strip()}"
    elif failure.place:
        yield f"at {failure.place}"
    yield f"{failure.exception}: {failure.message}" if failure.message else failure.exception
    for name in test.subtests if test else ():
        yield f"failed subtest: {name}"
