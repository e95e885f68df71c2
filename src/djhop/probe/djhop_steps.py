"""Does one of Django's own upgrade steps in the project's environment, and writes what came of it.

Started as `python -m djhop_steps` inside the target's environment, which may be Python 3.6 and
Django 1.11: the standard library only. Django is entered as the project's own manage.py enters it,
so that the step sees what `manage.py check` would see; but for the databases, which are replaced
before anything can connect (`djhop_steps_databases`).
"""

import functools
import importlib
import json
import os
import runpy
import site
import sys

import djhop_probe_roots
from djhop_probe_state import STATE
from djhop_probe_target import belongs, find_django, version_text
from djhop_steps_result import Result, Unavailable

#: Environment variable that holds the path of the configuration.
VARIABLE = "DJHOP_STEPS"
STEPS = {
    "checks": "djhop_steps_checks",
    "migrations": "djhop_steps_migrations",
    "database": "djhop_steps_migrate",
    "settings": "djhop_steps_settings",
    # Between the two cells of a hop.
    "origin": "djhop_steps_origin",
    "upgrade": "djhop_steps_migrate",
    "old-code": "djhop_steps_models",
    "new-code": "djhop_steps_models",
    "drop": "djhop_steps_drop",
}


def main():
    """Do the configured step; never returns."""
    with open(os.environ[VARIABLE], encoding="utf-8") as file:
        config = json.load(file)
    STATE.config, STATE.tmp = config, os.environ.get("TMPDIR", "")
    result = Result(config)
    try:
        _enter(config, result)
    except Unavailable as why:
        result.unavailable(str(why))
    except BaseException as error:
        result.failed(error)
    result.write()
    sys.stdout.flush()
    sys.stderr.flush()
    # What the project's threads do now is of no interest, and could last for ever.
    os._exit(0)


def _enter(config, result):
    for folder in config.get("overlay") or ():
        site.addsitedir(folder)
    _must_be_the_cells_django(config)
    import djhop_steps_databases

    djhop_probe_roots.install()
    djhop_steps_databases.install(config)
    # Not loaded before the settings are: what a step imports may ask for them.
    step = functools.partial(importlib.import_module, STEPS[config["step"]])
    if config.get("manage"):
        _through(config["manage"], functools.partial(_do, step, config, result), result)
    elif os.environ.get("DJANGO_SETTINGS_MODULE"):
        _do(step, config, result)
    else:
        raise Unavailable("no settings module is known: name it in djhop.toml (settings = …)")


def _through(script, do, result):
    """Run the project's own script, and do the step where it hands over to Django's commands."""
    from django.core import management

    entered = []

    def execute(self):
        entered.append(self)
        try:
            do()
        except Unavailable as why:
            result.unavailable(str(why))
        except BaseException as error:
            # Here, for a manage.py may turn exceptions of Django's into others.
            result.failed(error)

    management.ManagementUtility.execute = execute
    try:
        _run_script(script)
    except BaseException:
        if not entered:  # what it does after that is not the step's
            raise
    if not entered:
        raise Unavailable("%s does not hand over to Django's commands" % script)


def _must_be_the_cells_django(config):
    found, expected = find_django(), config["expect_django"]
    if found is None:
        raise Unavailable("the environment holds no Django")
    if not belongs(found, expected):
        raise Unavailable(
            "Django %s is expected here, %s was found" % (expected, version_text(found))
        )


def _run_script(script):
    """Do what `python SCRIPT check` does."""
    sys.argv[:] = [script, "check"]
    sys.path[0] = os.path.dirname(os.path.realpath(script))
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as stop:
        if stop.code not in (None, 0):
            raise


def _do(step, config, result):
    import django

    try:
        django.setup()
        step().run(config, result)
    except Exception as error:
        _must_not_attach(error)
        why = missing_driver(error)
        if why:
            raise Unavailable(why)
        raise
    result.done()


def _must_not_attach(error):
    """Say what SQLite means by "not authorized"."""
    from django.db.utils import OperationalError
    from djhop_steps_databases import NOT_ATTACHED

    if NOT_ATTACHED:
        raise OperationalError(
            "djhop: a step attaches no database that it did not make itself: %s" % NOT_ATTACHED[0]
        ) from error


def missing_driver(error):
    """Return what is missing where a database's driver cannot be loaded; else ""."""
    from django.core.exceptions import ImproperlyConfigured

    text = str(error)
    driver = isinstance(error, ImproperlyConfigured) and text.startswith("Error loading")
    return "a database driver is missing: %s" % text.splitlines()[0] if driver else ""


if __name__ == "__main__":
    main()
