"""The database before a hop, with rows of the project's own in it: a fixture, or an SQL dump."""

import djhop_steps_migrate
from django.core.management import call_command
from django.db import connections
from djhop_steps_result import Unavailable

ALIAS = "default"


def run(config, result):
    """Load the rows; the schema is what this side's code makes of it."""
    path = config["data"]
    if path.endswith(".sql"):
        _execute(connections[ALIAS], path)
        djhop_steps_migrate.run(config, result)
    else:
        djhop_steps_migrate.run(config, result)
        result.running("loaddata")
        call_command("loaddata", path, database=ALIAS)


def _execute(connection, path):
    if connection.vendor != "sqlite":
        raise Unavailable("an SQL dump is loaded into SQLite only: a fixture goes anywhere")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    connection.ensure_connection()
    connection.connection.executescript(text)
