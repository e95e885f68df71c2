"""A run as JUnit XML: a suite per cell, written cell by cell.

The elements are those of Jenkins' schema, which Surefire's readers and pytest's own tests use. A
test that failed strictly and passed plainly has passed, and its output says so; one that did both
without a reason has passed with a `flakyFailure`. Class names begin with the cell, for readers
(GitLab's among them) take two cases of one class and name for one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

import msgspec

from djhop.reports import cases, tracebacks
from djhop.reports.cases import Case, Tally
from djhop.reports.clean import block, cut, one_line, spelled
from djhop.reports.pairs import Pair
from djhop.reports.rerun_tests import by_cell
from djhop.results.reruns import HOW, Again, Reruns
from djhop.store.record import Run, RunCell

#: Characters of a name, of a message, and of a traceback.
NAME, MESSAGE, TEXT = 1_000, 500, 10_000
#: Tests per cause in one cell that come with a traceback; the others have equal ones.
TRACEBACKS = 20


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """What a reader takes, of all suites together."""

    bytes: int
    #: Elements, attributes and texts.
    objects: int


#: https://docs.gitlab.com/ci/testing/unit_test_reports/ (30 MB), and what its parser takes:
#: https://gitlab.com/gitlab-org/gitlab/-/issues/507482 (250,000).
GITLAB = Budget(bytes=29_000_000, objects=200_000)


def lines(
    run: Run,
    pairs: Iterable[Pair],
    budget: Budget | None = None,
    *,
    reruns: Mapping[str, Reruns] | None = None,
) -> Iterator[str]:
    """Yield the XML of `run`, a piece per cell; `reruns` says what was run again, by hops' ids.

    With a budget each cell has an equal share of what those before it left: what failed comes
    first, what passed last, and what is left out is counted in the suite's properties. A `file`
    attribute, which the schema does not know, is written for GitLab alone.
    """
    yield '<?xml version="1.0" encoding="utf-8"?>\n'
    yield f"<testsuites name={_name(run.target.name or 'djhop')}>\n"
    left = budget
    again = by_cell(run, reruns or {})
    for number, (cell, result) in enumerate(pairs):
        found = cases.of(cell, result, run.hops)
        share = _share(left, len(run.cells) - number) if left else None
        ours = again.get(cell.id, {})
        written = [
            _case(cell, case, plain, ours.get(case.id, ()), files=budget is not None)
            for case, plain in _told(found)
        ]
        kept = _within(found, written, share) if share else set(range(len(found)))
        if left:
            left = _less(left, [written[index] for index in kept])
        yield _suite(run, cell, found, [(found[n], written[n]) for n in sorted(kept)])
    yield "</testsuites>\n"


def _told(found: tuple[Case, ...]) -> Iterator[tuple[Case, bool]]:
    """Yield each case, and whether its traceback is worth writing."""
    seen: dict[str, int] = {}
    for case in found:
        cause = case.test.cause if case.test else ""
        seen[cause] = seen.get(cause, 0) + 1
        yield case, not cause or seen[cause] <= TRACEBACKS


def _share(left: Budget, cells: int) -> Budget:
    # Half a kilobyte for what is said of the suite itself.
    return Budget(bytes=left.bytes // cells - 20_000, objects=left.objects // cells - 50)


def _less(left: Budget, written: list[str]) -> Budget:
    used = sum(len(text.encode()) for text in written)
    return Budget(
        bytes=left.bytes - used - 20_000,
        objects=left.objects - sum(map(_objects, written)) - 50,
    )


def _within(found: tuple[Case, ...], written: list[str], share: Budget) -> set[int]:
    """Return which cases fit, the most important first."""
    order = ("error", "failed", "absent", "skipped", "expected", "passed")
    ranked = sorted(range(len(found)), key=lambda n: order.index(found[n].state))
    size = objects = 0
    kept: set[int] = set()
    for index in ranked:
        size += len(written[index].encode())
        objects += _objects(written[index])
        if size > share.bytes or objects > share.objects:
            break
        kept.add(index)
    return kept


def _objects(text: str) -> int:
    """About how many elements, attributes and texts: each of them has one of these."""
    return 2 * text.count('="') + text.count("<")


def _suite(run: Run, cell: RunCell, found: tuple[Case, ...], kept: list[tuple[Case, str]]) -> str:
    counted = cases.tally(tuple(case for case, _ in kept))
    skipped = counted.skipped + counted.expected + counted.absent
    seconds = sum(cell.seconds.get(mode, 0.0) for mode in ("strict", "plain", "scoped"))
    head = (
        f'<testsuite name={_name(cell.id)} tests="{counted.total}" '
        f'failures="{counted.failed}" errors="{counted.error}" skipped="{skipped}" '
        f'time="{seconds:.3f}" timestamp={_attribute(run.started.removesuffix("Z"), 40)}>'
    )
    said = _properties(cell, cases.tally(found), len(found) - len(kept))
    properties = "".join(
        f"<property name={quoteattr(name)} value={_attribute(value, MESSAGE)}/>"
        for name, value in said.items()
    )
    body = "".join(f"{text}\n" for _, text in kept)
    return f"{head}\n<properties>{properties}</properties>\n{body}</testsuite>\n"


def _properties(cell: RunCell, whole: Tally, more: int) -> dict[str, str]:
    said = {
        "djhop.status": cell.status,
        "djhop.reason": cell.reason,
        "djhop.django": cell.django_release or cell.django,
        "djhop.python": cell.python_release or cell.python,
        "djhop.may-fail": "true" if cell.allow_failure else "",
        "djhop.forced": "true" if cell.forced else "",
        "djhop.left-out": f"{more:,} of {whole.total:,} cases, those that passed first"
        if more
        else "",
    }
    return {name: value for name, value in said.items() if value}


def _case(cell: RunCell, case: Case, whole: bool, again: Sequence[Again], *, files: bool) -> str:
    file, group, name = cases.split(case.id)
    classname = f"{cell.id}.{group}" if group else cell.id
    where = f" file={_name(file)}" if files and file else ""
    inside = "".join((*_inside(case, whole), *_reruns(case, again), *_said(case, whole, again)))
    return (
        f"<testcase classname={_name(classname)} name={_name(name)}"
        f'{where} time="{case.seconds:.3f}"' + (f">{inside}</testcase>" if inside else "/>")
    )


def _inside(case: Case, whole: bool) -> Iterator[str]:
    match case.state:
        case "failed":
            yield _element("failure", case, whole)
        case "error":
            yield _element("error", case, whole)
        case "skipped" | "absent":
            reason = _attribute(case.reason, MESSAGE)
            yield f'<skipped type="djhop.{case.state}" message={reason}/>'
        case "expected":
            yield f'<skipped type="djhop.xfailed" message={_attribute(case.reason, MESSAGE)}/>'
        case "passed":
            if case.flaky:
                yield _flaky(case, whole)


def _reruns(case: Case, again: Sequence[Again]) -> Iterator[str]:
    """What was run again and failed: of a test that fails a rerun, else what makes it flaky."""
    for one in again:
        found = cases.state(one.outcome)
        if found in ("failed", "error"):
            tag = ("rerun" if case.bad else "flaky") + ("Error" if found == "error" else "Failure")
            said = f"{found}, {HOW[one.how]}"
            yield f'<{tag} type="djhop.rerun" message={_attribute(said, MESSAGE)}/>'


def _said(case: Case, whole: bool, again: Sequence[Again]) -> Iterator[str]:
    """What no element is for."""
    said = [_strictly(case, whole)] if case.strictly else []
    said += ["flaky: it passed under the strict filter"] if case.flaky and case.bad else []
    fine = [one for one in again if cases.state(one.outcome) == "passed"]
    said += [f"run again, {HOW[one.how]}: passed" for one in fine] if case.bad else []
    said += [case.printed] if case.printed else []
    if said:
        yield f"<system-out>{_text(chr(10).join(said))}</system-out>"


def _element(tag: str, case: Case, whole: bool) -> str:
    failure = case.failure
    kind = failure.exception if failure else f"djhop.{case.kind}"
    message = failure.message if failure else case.reason
    text = tracebacks.text(failure, case.test, whole=whole) if failure else case.reason
    named = f"{tag} type={_name(kind)} message={_attribute(message, MESSAGE)}"
    return f"<{named}>{_text(text)}</{tag}>"


def _flaky(case: Case, whole: bool) -> str:
    """As Surefire writes a test that failed first and passed then."""
    failure = case.failure
    tag = "flakyError" if case.test and case.test.strict in ("error", "crashed") else "flakyFailure"
    kind = failure.exception if failure else "djhop.flaky"
    message = (
        failure.message if failure else "it failed under the strict filter, and passed without"
    )
    text = tracebacks.text(failure, case.test, whole=whole) if failure else message
    return (
        f"<{tag} type={_name(kind)} message={_attribute(message, MESSAGE)}>"
        f"<stackTrace>{_text(text)}</stackTrace></{tag}>"
    )


def _strictly(case: Case, whole: bool) -> str:
    said = "strict: fails with -W error::DeprecationWarning alone, so it counts as passed"
    if case.failure is None:
        return said
    return f"{said}\n{tracebacks.text(case.failure, case.test, whole=whole)}"


def _name(text: str) -> str:
    return quoteattr(spelled(cut(text, NAME)))


def _attribute(text: str, limit: int) -> str:
    return quoteattr(one_line(text, limit))


def _text(text: str) -> str:
    return escape(block(text, TEXT))
