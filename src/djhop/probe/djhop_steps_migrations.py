"""What `makemigrations --check --dry-run` would generate, and facts about what there is."""

from django.apps import apps
from django.core.management.commands import makemigrations
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import RunPython, RunSQL
from django.db.migrations.questioner import NonInteractiveMigrationQuestioner
from django.db.migrations.state import ProjectState
from djhop_steps_history import is_reversible, parts, plan, said, unloadable, unrenderable
from djhop_steps_result import is_own

#: An app with more migrations is told that they can be squashed.
MANY = 50


class Questioner(NonInteractiveMigrationQuestioner):
    """Answers as a dry run with nobody to ask: a missing default is none of its business."""

    def ask_not_null_addition(self, field_name, model_name):
        return None

    def ask_not_null_alteration(self, field_name, model_name):
        return None

    def ask_auto_now_add_addition(self, field_name, model_name):
        return None


def run(config, result):
    """Ask what is pending, what conflicts and what is broken; then list the facts."""
    found = result.found
    found["broken"] = unloadable(result)
    # Raises what is broken, as `makemigrations` does.
    loader = MigrationLoader(None, ignore_no_migrations=True)
    conflicts = loader.detect_conflicts()
    found["conflicts"] = [
        {"app": app, "leaves": sorted(conflicts[app]), "own": _own(app)}
        for app in sorted(conflicts)
    ]
    found["facts"] = _facts(loader)
    if not conflicts:
        found["broken"] += unrenderable(loader, result)
        found["pending"] = _pending(loader)


def _own(label):
    try:
        return is_own(apps.get_app_config(label).path)
    except LookupError:
        return False


def _pending(loader):
    detector = getattr(makemigrations.Command, "autodetector", MigrationAutodetector)
    changes = detector(
        loader.project_state(),
        ProjectState.from_apps(apps),
        Questioner(specified_apps=set(), dry_run=True),
    ).changes(graph=loader.graph)
    return [
        _operation(app, migration.name, operation)
        for app in sorted(changes)
        for migration in changes[app]
        for operation in migration.operations
    ]


def _operation(app, name, operation):
    model = getattr(operation, "model_name", None)
    part = getattr(operation, "name", None)
    return {
        "app": app,
        "migration": name,
        "kind": type(operation).__name__,
        "subject": ".".join(word for word in (model, part) if isinstance(word, str)),
        "words": operation.describe(),
        "own": _own(app),
    }


def _facts(loader):
    """List what is worth knowing of the project's own migrations; nothing of it is a failure."""
    facts, counts = [], {}
    migrations = [one for one in plan(loader) if _own(one.app_label)]
    for migration in migrations:
        counts[migration.app_label] = counts.get(migration.app_label, 0) + 1
        for operation in migration.operations:
            facts += _of_operation(migration, operation)
    for app in sorted(counts):
        if counts[app] > MANY:
            facts.append({"kind": "many", "app": app, "count": counts[app]})
    return facts


def _of_operation(migration, operation):
    facts = []
    where = {"app": migration.app_label, "migration": migration.name, "operation": said(operation)}
    if not is_reversible(operation):
        facts.append(dict(where, kind="irreversible"))
    code = [one for one in parts(operation) if isinstance(one, (RunPython, RunSQL))]
    data = [one for one in code if isinstance(one, RunPython)]
    if any(one.atomic or (one.atomic is None and migration.atomic) for one in data):
        facts.append(dict(where, kind="atomic-data"))
    return facts
