"""The tables of a database as data, for one cell's schema to be compared with another's."""

QUERIES = {
    "postgresql": (
        "SELECT table_name, column_name, udt_name, is_nullable, column_default"
        " FROM information_schema.columns WHERE table_schema = ANY (current_schemas(false))"
    ),
    "mysql": (
        "SELECT table_name, column_name, column_type, is_nullable, column_default"
        " FROM information_schema.columns WHERE table_schema = DATABASE()"
    ),
}


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


def _rows(connection, cursor):
    if connection.vendor in QUERIES:
        cursor.execute(QUERIES[connection.vendor])
        for table, name, kind, null, default in cursor.fetchall():
            yield table, name, kind, null == "YES", default
        return
    for table in connection.introspection.table_names(cursor):
        cursor.execute("PRAGMA table_info(%s)" % connection.ops.quote_name(table))
        for _, name, kind, not_null, default, _ in cursor.fetchall():
            yield table, name, kind, not not_null, default
