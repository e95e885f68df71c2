"""Removes from their server the databases that have crossed a hop."""

import djhop_steps_databases as databases
from django.db import connections
from djhop_steps_migrate import is_mirror


def run(config, result):
    """Drop the databases of both sides; files are removed with their folder."""
    for alias in connections:
        if alias in databases.REFUSED or is_mirror(alias):
            continue
        if connections[alias].vendor != "sqlite":
            databases.drop(connections[alias])
