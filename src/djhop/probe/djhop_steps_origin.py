"""The database before a hop: of another revision of the project, or with rows of its own in it."""

import djhop_steps_migrate
from django.core.management import call_command
from django.db import connections
from djhop_steps_result import Unavailable

ALIAS = "default"


def run(config, result):
    """Migrate with this side's code, and load the rows (a fixture, or an SQL dump), if any."""
    path = config["data"]
    if path.endswith(".sql"):
        _execute(connections[ALIAS], path)
        djhop_steps_migrate.run(config, result)
    else:
        djhop_steps_migrate.run(config, result)
        if not path:
            return
        result.running("loaddata")
        call_command("loaddata", path, database=ALIAS)


def _execute(connection, path):
    if connection.vendor != "sqlite":
        raise Unavailable("an SQL dump is loaded into SQLite only: a fixture goes anywhere")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    connection.ensure_connection()
    connection.connection.executescript(text)
