"""How many rows tables have, and what stands in them: for what a migration loses to be seen."""

import hashlib

#: Django's own book of migrations grows with every one of them.
OWN_BOOK = "django_migrations"
#: Rows of one table whose values are summed up; what has more is counted only.
MOST = 200000


def counts(connection):
    """Return {table: rows}."""
    with connection.cursor() as cursor:
        found = {}
        for table in sorted(connection.introspection.table_names(cursor)):
            if table != OWN_BOOK:
                cursor.execute("SELECT COUNT(*) FROM %s" % connection.ops.quote_name(table))
                found[table] = cursor.fetchone()[0]
    return found


def sums(connection, counted):
    """Return {table: {column: a sum over its values, whatever their order}}."""
    found = {}
    for table in counted:
        if counted[table] <= MOST:
            with connection.cursor() as cursor:
                cursor.execute("SELECT * FROM %s" % connection.ops.quote_name(table))
                names = [column[0] for column in cursor.description]
                found[table] = dict(zip(names, _sums(cursor, len(names))))
    return found


def _sums(cursor, columns):
    totals = [0] * columns
    for row in cursor:
        for index, value in enumerate(row):
            totals[index] += _digest(value)
    return ["%016x" % (total % 2**64) for total in totals]


def _digest(value):
    text = bytes(value) if isinstance(value, memoryview) else value
    digest = hashlib.sha256(repr(text).encode("utf-8", "backslashreplace")).digest()
    return int.from_bytes(digest[:8], "big")


def lost(before, after):
    """Return [[table, rows before, rows after]] where there are fewer; None: the table is gone.

    A table that is gone while another one with as many rows came was renamed.
    """
    came = [after[table] for table in after if table not in before]
    fewer = []
    for table in sorted(before):
        rows = after.get(table)
        if rows is None and before[table] in came:
            came.remove(before[table])
        elif (rows or 0) < before[table]:
            fewer.append([table, before[table], rows])
    return fewer
