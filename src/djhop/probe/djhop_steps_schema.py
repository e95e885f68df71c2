"""The tables of a database as data, for one cell's schema to be compared with another's."""

import re

QUERIES = {
    "postgresql": (
        "SELECT table_name, column_name, udt_name || coalesce("
        "'(' || character_maximum_length || ')', CASE WHEN udt_name = 'numeric' AND"
        " numeric_precision IS NOT NULL"
        " THEN '(' || numeric_precision || ',' || numeric_scale || ')' END, ''),"
        " is_nullable, coalesce(column_default, CASE WHEN is_identity = 'YES' THEN 'identity'"
        " WHEN is_generated = 'ALWAYS' THEN 'generated' END)"
        " FROM information_schema.columns WHERE table_schema = ANY (current_schemas(false))"
    ),
    "mysql": (
        "SELECT table_name, column_name, column_type, is_nullable, column_default"
        " FROM information_schema.columns WHERE table_schema = DATABASE()"
    ),
}
#: Unique indexes are asked for themselves: one with a condition is no constraint there.
CONSTRAINTS = (
    "SELECT r.relname, pg_get_constraintdef(c.oid) FROM pg_constraint c"
    " JOIN pg_class r ON r.oid = c.conrelid WHERE c.contype IN ('c', 'f', 'x')"
    " AND r.relnamespace::regnamespace::text = ANY (current_schemas(false)::text[])"
    " UNION ALL SELECT r.relname, 'UNIQUE ' || substring(pg_get_indexdef(i.indexrelid)"
    " from position(' USING btree ' in pg_get_indexdef(i.indexrelid)) + 13) FROM pg_index i"
    " JOIN pg_class r ON r.oid = i.indrelid WHERE i.indisunique AND NOT i.indisprimary"
    " AND r.relnamespace::regnamespace::text = ANY (current_schemas(false)::text[])"
)
#: How SQLite marks generated columns.
GENERATED = (2, 3)
_CHECK = re.compile(r"\bCHECK\s*\(", re.IGNORECASE)
_CONDITION = re.compile(r"\bON\s.*?(\(.*)", re.IGNORECASE | re.DOTALL)


def schema(connection):
    """Return {table: [{name, type, null, default}]}; columns in alphabetical order."""
    with connection.cursor() as cursor:
        rows = list(_rows(connection, cursor))
    tables = {}
    for table, name, kind, null, default in rows:
        column = {"name": str(name), "type": str(kind), "null": bool(null)}
        column["default"] = None if default is None else str(default)
        tables.setdefault(str(table), []).append(column)
    return {table: sorted(tables[table], key=lambda one: one["name"]) for table in sorted(tables)}


def constraints(connection):
    """Return {table: what its rows must obey, as SQL has it}, but for keys and NOT NULL.

    Nothing is known of those of MySQL.
    """
    found = {}
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for table in connection.introspection.table_names(cursor):
                found[table] = sorted(set(_of_sqlite(connection, cursor, table)))
        elif connection.vendor == "postgresql":
            cursor.execute(CONSTRAINTS)
            for table, text in cursor.fetchall():
                found.setdefault(table, []).append(text)
    return {table: sorted(found[table]) for table in sorted(found) if found[table]}


def _rows(connection, cursor):
    if connection.vendor in QUERIES:
        cursor.execute(QUERIES[connection.vendor])
        for table, name, kind, null, default in cursor.fetchall():
            yield table, name, kind, null == "YES", default
        return
    for table in connection.introspection.table_names(cursor):
        # Generated columns are hidden from table_info.
        cursor.execute("PRAGMA table_xinfo(%s)" % connection.ops.quote_name(table))
        for _, name, kind, not_null, default, _, hidden in cursor.fetchall():
            if hidden in GENERATED:
                yield table, name, kind, True, "generated"
            elif not hidden:
                yield table, name, kind, not not_null, default


def _of_sqlite(connection, cursor, table):
    quoted = connection.ops.quote_name(table)
    cursor.execute("PRAGMA foreign_key_list(%s)" % quoted)
    for row in cursor.fetchall():
        yield "FOREIGN KEY (%s) REFERENCES %s" % (row[3], row[2])
    cursor.execute("PRAGMA index_list(%s)" % quoted)
    # A primary key has an index, too.
    names = [row[1] for row in cursor.fetchall() if row[2] and row[3] != "pk"]
    for name in names:
        cursor.execute("SELECT sql FROM sqlite_master WHERE name = %s", [name])
        made = (cursor.fetchone() or [None])[0]
        condition = _CONDITION.search(made or "")
        if condition:
            yield "UNIQUE %s" % condition.group(1).replace('"', "")
        else:
            cursor.execute("PRAGMA index_info(%s)" % connection.ops.quote_name(name))
            yield "UNIQUE (%s)" % ", ".join(str(row[2]) for row in cursor.fetchall())
    cursor.execute("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = %s", [table])
    for text in _checks((cursor.fetchone() or [""])[0] or ""):
        yield "CHECK %s" % text


def _checks(statement):
    """Yield what stands in the parentheses after each CHECK of a CREATE TABLE."""
    for match in _CHECK.finditer(statement):
        start = match.end() - 1
        depth, quote = 0, ""
        for index in range(start, len(statement)):
            char = statement[index]
            if quote:
                quote = "" if char == quote else quote
            elif char in "'\"`":
                quote = char
            else:
                depth += {"(": 1, ")": -1}.get(char, 0)
                if not depth:
                    yield statement[start : index + 1].replace('"', "")
                    break
