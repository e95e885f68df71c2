"""No step ever sees a real database: the settings' are replaced before anything can connect.

SQLite becomes a file of ours. A server becomes a database of a name of ours where djhop itself has
started that server (a matrix's service); every other one cannot be connected to at all. Should
something put an address of its own in their place, the connection is refused.
"""

import contextlib
import functools
import os
import sqlite3

import django.conf
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import OperationalError
from djhop_steps_result import Unavailable

LOOPBACK = ("localhost", "127.0.0.1", "::1")
#: Options that would lead a driver somewhere else than NAME, HOST and PORT say.
LEADING = frozenset(
    "database dbname db dsn host hostaddr port user service servicefile passfile unix_socket"
    " read_default_file read_default_group conninfo".split()
)
#: What an authorizer is told of ATTACH: https://sqlite.org/c3ref/c_alter_table.html
ATTACH = 24
#: Files that were not attached, for they are not ours.
NOT_ATTACHED = []
#: alias → why the database cannot be made.
REFUSED = {}
#: Names of databases on a server that a step may connect to: each, and that of the other side.
_ours = {}
#: Where SQLite files may be; the first is where they are at the start.
_folders = []
_creating = []
_life = []


def install(config):
    """Replace the databases of the settings from the moment on that they are read."""
    _life.append(config.get("life") or "own")
    for folder in (config["folder"], config.get("other")):
        if folder:
            _folders.append(os.path.join(os.path.realpath(folder), ""))
    lazy = django.conf.LazySettings
    for name in ("_setup", "configure"):
        setattr(lazy, name, _then_replaced(getattr(lazy, name), config))
    BaseDatabaseWrapper.connect = _guarded(BaseDatabaseWrapper.connect)


def _then_replaced(method, config):
    @functools.wraps(method)
    def read(self, *args, **kwargs):
        done = method(self, *args, **kwargs)
        named = getattr(self._wrapped, "DATABASES", None)
        if isinstance(named, dict):
            scratch = {alias: _scratch(alias, named[alias], config) for alias in named}
            self._wrapped.DATABASES = scratch
            self.__dict__.pop("DATABASES", None)
        return done

    return read


def family(engine):
    """Return "sqlite", "postgresql", "mysql" or "" for the name of an engine."""
    name = str(engine).lower()
    if "sqlite" in name or "spatialite" in name:
        return "sqlite"
    if "postg" in name or "psycopg" in name:
        return "postgresql"
    return "mysql" if "mysql" in name or "mariadb" in name else ""


def _scratch(alias, entry, config):
    """Return the entry of DATABASES that stands for `entry`: same engine, a place of ours."""
    made = dict(entry)
    engine = made.get("ENGINE") or "django.db.backends.dummy"
    options = made.get("OPTIONS") or {}
    made["OPTIONS"] = {key: options[key] for key in options if key not in LEADING}
    kind = family(engine)
    if kind == "sqlite":
        name = "".join(c if c.isalnum() or c in "-_" else "_" for c in str(alias))
        made["NAME"] = os.path.join(_folders[0], "%s.sqlite3" % name)
        made["OPTIONS"].setdefault("factory", _Connection)
        return made
    if kind and _served(made, options, config):
        number = len(_ours)
        made["NAME"] = "%s_%s" % (config["database"], number)
        other = config.get("other_database")
        _ours[made["NAME"]] = "%s_%s" % (other, number) if other else ""
        return made
    if not engine.endswith(".dummy"):
        REFUSED[alias] = _why(engine, kind, made, options, config)
    made.update(NAME="djhop_refused", USER="", PASSWORD="", HOST="", PORT="")
    return made


def _served(entry, options, config):
    """Return whether djhop has started the server that an entry leads to."""
    if LEADING & set(options):
        return False
    host, port = str(entry.get("HOST") or ""), str(entry.get("PORT") or "")
    if host.startswith("/"):
        return any(host.startswith(folder) for folder in config.get("service_folders") or ())
    return host in LOOPBACK and port in (config.get("service_ports") or ())


def _why(engine, kind, entry, options, config):
    if not kind:
        return "djhop makes databases on SQLite, PostgreSQL and MySQL, not on %s" % engine
    if LEADING & set(options):
        where = "a server that its OPTIONS name"
    else:
        port = entry.get("PORT")
        where = "%s%s" % (entry.get("HOST") or "this machine", ":%s" % port if port else "")
    return (
        "it is on %s, a server that djhop has not started: a step uses no database that it did not "
        "make itself; name a [service] in the matrix" % where
    )


def _guarded(connect):
    @functools.wraps(connect)
    def checked(self, *args, **kwargs):
        if not _may_connect(self):
            raise OperationalError(
                "djhop: a step connects to no database that it did not make itself (%s)"
                % self.alias
            )
        done = connect(self, *args, **kwargs)
        if self.vendor == "sqlite":
            _hurry(self.connection)
        return done

    return checked


class _Connection(sqlite3.Connection):
    """A connection that attaches no file but those of ours, from its first statement on."""

    def __init__(self, *args, **kwargs):
        super(_Connection, self).__init__(*args, **kwargs)
        self.set_authorizer(_authorized)


def _authorized(action, file, *_):
    # VACUUM attaches a file without a name.
    if action != ATTACH or file in ("", ":memory:") or _is_ours(file):
        return sqlite3.SQLITE_OK
    NOT_ATTACHED.append(str(file))
    return sqlite3.SQLITE_DENY


def _is_ours(file):
    return bool(file) and os.path.realpath(file).startswith(tuple(_folders))


def _hurry(connection):
    """Wait for no disk: a file of ours need not outlive the machine. It halves a long migrate."""
    for pragma in ("synchronous = OFF", "journal_mode = MEMORY"):
        connection.execute("PRAGMA %s" % pragma).close()


def _may_connect(connection):
    settings = connection.settings_dict
    if LEADING & set(settings.get("OPTIONS") or {}):
        return False
    name = settings.get("NAME")
    if connection.vendor == "sqlite":
        return _is_ours(str(name))
    return name in _ours or name in _ours.values() or bool(_creating)


def turn(connection):
    """Lead a connection to the database of the other side; return whether there may be one."""
    connection.close()
    name = connection.settings_dict["NAME"]
    if connection.vendor != "sqlite":
        connection.settings_dict["NAME"] = _ours[name]
        return True
    connection.settings_dict["NAME"] = os.path.join(_folders[-1], os.path.basename(name))
    return os.path.exists(connection.settings_dict["NAME"])


@contextlib.contextmanager
def made(connection):
    """Have the database that a connection leads to; on a server it is created.

    It is dropped in the end, but for those that cross a hop (`life`): they are kept, and the
    second of them is a copy of the first.
    """
    if connection.vendor == "sqlite":
        yield connection.settings_dict["NAME"]
        return
    name = connection.settings_dict["NAME"]
    quote = connection.ops.quote_name
    how = connection.creation.sql_table_creation_suffix()
    if _life[-1] == "copy":
        if connection.vendor != "postgresql":
            raise Unavailable("%s cannot copy a database" % connection.vendor)
        how = "TEMPLATE %s" % quote(_ours[name])
    _on_server(connection, "CREATE DATABASE %s %s" % (quote(name), how))
    try:
        yield ""
    finally:
        connection.close()
        if _life[-1] == "own":
            _on_server(connection, "DROP DATABASE %s" % quote(name))


def drop(connection):
    """Remove the databases of both sides from their server."""
    connection.close()
    name = connection.settings_dict["NAME"]
    for one in (name, _ours[name]):
        quoted = connection.ops.quote_name(one)
        _on_server(connection, "DROP DATABASE IF EXISTS %s" % quoted)


def _on_server(connection, statement):
    """Run a statement while connected to no database of the project's."""
    creation = connection.creation
    _creating.append(connection)
    try:
        if hasattr(creation, "_nodb_cursor"):
            with creation._nodb_cursor() as cursor:
                cursor.execute(statement)
        elif hasattr(connection, "_nodb_cursor"):
            with connection._nodb_cursor() as cursor:
                cursor.execute(statement)
        else:
            with connection._nodb_connection.cursor() as cursor:
                cursor.execute(statement)
    finally:
        _creating.pop()
