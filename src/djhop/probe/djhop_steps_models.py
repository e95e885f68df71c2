"""Reads and writes every model through the ORM: on a database of its own, then on another's.

What works on the one and not on the other is what two versions cannot share. Everything that is
written is rolled back, and no signal is sent: what a project does beside its database is not asked.
"""

import djhop_steps_databases as databases
from django.apps import apps
from django.db import connections, router, transaction
from djhop_steps_migrate import is_mirror
from djhop_steps_result import described
from djhop_steps_values import row

#: Rows that are read.
ROWS = 20


def run(config, result):
    """Try every managed model of every database that both have."""
    there = [one for one in connections if one not in databases.REFUSED and not is_mirror(one)]
    pairs = [(alias, model) for alias in sorted(there) for model in _models(alias)]
    own = [_tried(alias, model, result) for alias, model in pairs]
    lost = [alias for alias in there if not databases.turn(connections[alias])]
    result.found["models"] = []
    for (alias, model), before in zip(pairs, own):
        after = {} if alias in lost else _tried(alias, model, result)
        if before or after:
            entry = {"model": model._meta.label, "table": model._meta.db_table, "alias": alias}
            entry.update(own=_told(before), other=_told(after))
            result.found["models"].append(entry)
    result.found["skipped"] = [
        {"alias": alias, "reason": "the other side has no such database"} for alias in sorted(lost)
    ]


def _models(alias):
    models = [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy and not model._meta.swapped
    ]
    return [model for model in models if router.allow_migrate_model(alias, model)]


def _tried(alias, model, result):
    """Return what fails: {operation: exception}."""
    result.running(model._meta.label)
    failed = {}
    rows = model._base_manager.using(alias)
    for name, read in (
        ("all", lambda: list(rows.all()[:ROWS])),
        ("count", rows.count),
        ("values", lambda: list(rows.values()[:ROWS])),
    ):
        _attempt(name, read, alias, failed)
    with transaction.atomic(using=alias):
        _write(alias, model, failed)
        transaction.set_rollback(True, using=alias)
    return failed


def _write(alias, model, failed):
    # Nobody's rows are touched: no other row has this key.
    rows = model._base_manager.using(alias)
    try:
        values = row(model)
        fields = [field for field in model._meta.local_concrete_fields if field.attname in values]
        made = model(**{key: values[key] for key in values})
    except Exception as error:
        failed.update(create=error)
        return
    mine = rows.filter(pk=values[model._meta.pk.attname])
    changed = {f.attname: values[f.attname] for f in fields if not f.primary_key}
    # As `bulk_create` does it: without signals, and of a child model its own table alone.
    insert = model._base_manager._insert
    _attempt("create", lambda: insert([made], fields=fields, using=alias, raw=True), alias, failed)
    if changed:
        _attempt("update", lambda: mine.update(**changed), alias, failed)
    _attempt("delete", lambda: mine._raw_delete(alias), alias, failed)


def _attempt(name, action, alias, failed):
    try:
        with transaction.atomic(using=alias):
            action()
    except Exception as error:
        failed[name] = error


def _told(failed):
    return [[name, described(failed[name])] for name in failed]
