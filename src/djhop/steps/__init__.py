"""Django's own upgrade steps in a cell: checks, migrations, a database from nothing, settings."""
