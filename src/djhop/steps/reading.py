"""What a step wrote → Step: decoded strictly, for it comes out of the target's own process."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from djhop import durable
from djhop.processes.process import Completed
from djhop.results.eventlog import Exc
from djhop.results.outcomes import Failures
from djhop.results.steps import Database, Finding, Level, ProcessName, Step
from djhop.steps import crossing, knowledge
from djhop.steps.wrote import Broken, Facts, Made, Message, Operation, Wrote

#: Bytes of a result that are read at most.
LIMIT = 64 * 1024 * 1024
WARNING, ERROR = 30, 40
#: "cannot import name 'utc' from 'django.utils.timezone' (/…/timezone.py)".
#: What a SystemCheckError is about stands below its heading.
_ERRORS = re.compile(r"^(?:ERRORS|CRITICALS):\n(.+)", re.MULTILINE)
_IMPORTED_FROM = re.compile(r" \(/[^()]*\)$")


class Sources(msgspec.Struct, frozen=True, kw_only=True):
    """What is needed to judge settings: the cell's series and where its code is."""

    django: str
    tree: Path
    site_packages: Path


def read(
    step: ProcessName,
    path: Path,
    done: Completed,
    failures: Failures,
    sources: Sources,
) -> Step:
    """Return the result of a step that has ended; whatever it wrote, or did not write."""
    log = f"log-{step}.txt"
    seconds = round(done.seconds, 3)
    if done.timed_out:
        reason = f"it took longer than its limit{_where(path)}"
        found = _decoded(path)
        made = _databases(found) if isinstance(found, Wrote) else ()
        return Step(status="timed-out", reason=reason, databases=made, seconds=seconds, log=log)
    found = _decoded(path)
    if isinstance(found, str):
        how = f"the process ended with {done.returncode}: {found}"
        return Step(status="failed", reason=how, seconds=seconds, log=log)
    return msgspec.structs.replace(
        _judged(step, found, failures, sources), seconds=seconds, log=log
    )


def _where(path: Path) -> str:
    """Name what was being done, as far as the step said it."""
    running = path.with_name(f"{path.name}.running")
    try:
        what = msgspec.json.decode(running.read_bytes(), type=dict[str, str]).get("running", "")
    except durable.UNREADABLE:
        return ""
    return f", in {what[:200]}" if what else ""


def _decoded(path: Path) -> Wrote | str:
    """Return what was written, or why it cannot be read."""
    try:
        if path.stat().st_size > LIMIT:
            return "its result is too long to be read"
        return msgspec.json.decode(path.read_bytes(), type=Wrote)
    except OSError:
        return "it wrote no result"
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return f"its result cannot be read: {error}"


def _judged(step: ProcessName, found: Wrote, failures: Failures, sources: Sources) -> Step:
    if found.status == "not-available":
        return Step(status="not-available", reason=found.reason)
    findings: tuple[Finding, ...] = ()
    match step:
        case "checks":
            findings = tuple(map(_message, found.messages))
        case "migrations":
            findings = tuple(_migrations(found))
        case "database":
            findings = tuple(_migrated(found))
        case "upgrade":
            renamed = (
                msgspec.structs.replace(one, id=one.id.replace("migrate.", "upgrade."))
                for one in _migrated(found)
            )
            findings = (*renamed, *crossing.operations(found.facts), *crossing.rows(found))
        case "old-code" | "new-code":
            findings = tuple(crossing.models(found.models))
        case "settings" if found.status == "ok":
            findings = tuple(
                knowledge.judge(found.settings, sources.django, sources.tree, sources.site_packages)
            )
    error = failures.of(found.error, step)
    result = Step(
        status="failed" if found.status == "failed" else "ok",
        findings=findings,
        databases=_databases(found),
        error=error,
        reason=_said(found.error) if found.status == "failed" else "",
    )
    if result.status == "ok" and result.counted:
        return msgspec.structs.replace(result, status="found")
    return result


def _said(error: Exc | None) -> str:
    if error is None:
        return "it ended without saying why"
    first = next(iter(_ERRORS.findall(error.message)), error.message).strip().partition("\n")[0]
    return f"{error.name}: {_IMPORTED_FROM.sub('', first)}"


def _message(said: Message) -> Finding:
    level: Level = "info" if said.level < WARNING else "warning"
    return Finding(
        id=said.id,
        about=said.object,
        level="error" if said.level >= ERROR else level,
        text=said.message,
        hint=said.hint,
        deploy=said.deploy,
        silenced=said.silenced,
    )


def _migrations(found: Wrote) -> Iterator[Finding]:
    yield from map(_broken, found.broken)
    for one in found.conflicts:
        yield Finding(
            id="conflict",
            about=one.app,
            level="error",
            text=f"leaves that know nothing of each other: {', '.join(one.leaves)}",
            hint=f"manage.py makemigrations --merge {one.app}",
        )
    yield from map(_pending, found.pending)
    yield from map(_fact, found.facts)


def _broken(one: Broken) -> Finding:
    what = ", ".join(one.operations)
    return Finding(
        id="broken",
        about=f"{one.app}.{one.migration}",
        level="error",
        text=": ".join(filter(None, (what, _said(one.error)))),
        place=f"{one.file}:{one.line}" if one.line else one.file,
    )


def _pending(one: Operation) -> Finding:
    return Finding(
        id=f"pending.{one.kind}",
        about=f"{one.app}.{one.subject}",
        text=f"{one.words} (makemigrations would write {one.app}.{one.migration})",
    )


def _fact(one: Facts) -> Finding:
    if one.kind == "many":
        text = f"{one.count} migrations: they can be squashed"
        return Finding(id="many", about=one.app, level="info", text=text)
    texts = {
        "irreversible": "cannot be reversed",
        "atomic-data": "changes data inside of the transaction that also changes the schema",
    }
    return Finding(
        id=one.kind,
        about=f"{one.app}.{one.migration}",
        level="info",
        text=f"{one.operation} {texts.get(one.kind, '')}".strip(),
    )


def _migrated(found: Wrote) -> Iterator[Finding]:
    for one in found.databases:
        if one.failed is not None:
            yield msgspec.structs.replace(_broken(one.failed), id="migrate.failed")
        for app, name in one.again:
            yield Finding(
                id="migrate.again",
                about=f"{app}.{name}" if app else one.alias,
                text="a second migrate was not to do anything" if app else name,
            )
        if one.again_error is not None:
            yield Finding(
                id="migrate.again",
                about=one.alias,
                level="error",
                text=f"a second migrate fails: {_said(one.again_error)}",
            )
    for skipped in found.skipped:
        text = f"its database was not made: {skipped.reason}"
        yield Finding(id="migrate.skipped", about=skipped.alias, level="info", text=text)


def _databases(found: Wrote) -> tuple[Database, ...]:
    return tuple(map(_database, found.databases))


def _database(one: Made) -> Database:
    return Database(
        alias=one.alias,
        vendor=one.vendor,
        applied=one.applied,
        seconds=one.seconds,
        kept=Path(one.kept).name if one.kept else "",
        tables=one.tables,
        constraints=one.constraints,
        rows=one.rows,
    )
