"""`migrate` on databases of djhop's own, and once more, which must change nothing.

They are empty, but for the upgrade itself: there they are copies of what another cell has made.
"""

import signal
import sys
import time

import djhop_steps_databases as databases
import djhop_steps_rows
from django.core.management import call_command
from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from djhop_steps_history import is_reversible, located, said, unloadable
from djhop_steps_result import Unavailable, described
from djhop_steps_schema import constraints, schema


def run(config, result):
    """Migrate every database that can be made; the default one must be among them."""
    signal.signal(signal.SIGTERM, _end)
    if not any(connections[alias].vendor != "unknown" for alias in connections):
        raise Unavailable("the settings name no database")
    if "default" in databases.REFUSED:
        raise Unavailable("the default database cannot be made: %s" % databases.REFUSED["default"])
    result.found["skipped"] = [
        {"alias": alias, "reason": databases.REFUSED[alias]} for alias in sorted(databases.REFUSED)
    ]
    result.found["databases"] = []
    for alias in sorted(connections, key=lambda alias: (alias != "default", alias)):
        if alias not in databases.REFUSED and not is_mirror(alias):
            entry = {"alias": alias, "vendor": connections[alias].vendor, "applied": []}
            result.found["databases"].append(entry)
            _migrate(connections[alias], entry, result)


def _end(signum, frame):
    """Let what was made be removed, though the step took too long."""
    sys.exit("djhop: ended")


def is_mirror(alias):
    """Return whether an alias has no database of its own."""
    settings = connections[alias].settings_dict
    mirrors = (settings.get("TEST") or {}).get("MIRROR")
    return bool(mirrors) or settings.get("ENGINE", "").endswith(".dummy")


def _migrate(connection, entry, result):
    with databases.made(connection) as kept:
        entry["kept"] = kept
        upgrade = result.found["step"] == "upgrade"
        rows = djhop_steps_rows.counts(connection) if upgrade else {}
        sums = djhop_steps_rows.sums(connection, rows)
        started = time.time()
        error = _run(connection.alias, entry["applied"], result, rows)
        entry["seconds"] = round(time.time() - started, 3)
        if error is not None:
            entry["failed"] = located(error, result) or next(iter(unloadable(result)), None)
            result.found["error"] = described(error)
            raise error
        entry.update(tables=schema(connection), constraints=constraints(connection))
        if upgrade:
            entry.update(rows=rows, changed=_changed(sums, connection))
        again = []
        error = _run(connection.alias, again, result, {})
        entry["again"] = [row[:2] for row in again]
        if error is not None:
            entry["again_error"] = described(error)
        elif schema(connection) != entry["tables"]:
            entry["again"].append(["", "the schema is not what it was"])


def _operations(migration):
    """Say which operations a migration did, and whether each can be taken back."""
    for operation in migration.operations:
        kind = "reversible" if is_reversible(operation) else "irreversible"
        yield dict(_where(migration), kind=kind, operation=said(operation))


def _where(migration):
    """Name a migration; None: what is done between migrations, such as handlers of signals."""
    if migration is None:
        return {"app": "", "migration": ""}
    return {"app": migration.app_label, "migration": migration.name}


def _lost(migration, before, after):
    """Say which rows are gone."""
    for table, had, has in djhop_steps_rows.lost(before, after):
        left = "the table is gone" if has is None else "%d are left" % has
        words = "%s: of %d rows %s" % (table, had, left)
        yield dict(_where(migration), kind="lost", operation=words)


def _changed(before, connection):
    """Return "table.column" of values that are not what they were, where no row came or went."""
    after = djhop_steps_rows.sums(connection, djhop_steps_rows.counts(connection))
    return [
        "%s.%s" % (table, column)
        for table in sorted(before)
        for column in sorted(before[table])
        if column in after.get(table, ()) and after[table][column] != before[table][column]
    ]


def _run(alias, applied, result, rows):
    """Run `migrate` as it is typed; return what it raised.

    `rows`: {table: rows} before it, where it is to be said which are lost.
    """
    real = MigrationExecutor.apply_migration
    upgrade = result.found["step"] == "upgrade"
    facts = result.found.setdefault("facts", [])
    known = {(one["app"], one["migration"]) for one in facts}  # of another database
    last = rows

    def count(migration=None):
        nonlocal last
        if rows:
            before, last = last, djhop_steps_rows.counts(connections[alias])
            facts.extend(_lost(migration, before, last))

    def apply_migration(self, state, migration, *args, **kwargs):
        result.running("%s.%s" % (migration.app_label, migration.name))
        count()
        started = time.time()
        done = real(self, state, migration, *args, **kwargs)
        seconds = round(time.time() - started, 3)
        applied.append([migration.app_label, migration.name, seconds])
        if upgrade and (migration.app_label, migration.name) not in known:
            facts.extend(_operations(migration))
        count(migration)
        return done

    MigrationExecutor.apply_migration = apply_migration
    try:
        call_command("migrate", database=alias, interactive=False, skip_checks=False)
        count()
    except Exception as error:
        return error
    finally:
        MigrationExecutor.apply_migration = real
    return None
