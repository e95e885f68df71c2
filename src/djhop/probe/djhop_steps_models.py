"""Reads and writes every model through the ORM: on a database of its own, then on another's.

What works on the one and not on the other is what two versions cannot share. Everything that is
written is rolled back, and no signal is sent: what a project does beside its database is not asked.
"""

import djhop_steps_databases as databases
from django.apps import apps
from django.db import connections, router, transaction
from djhop_steps_migrate import is_mirror
from djhop_steps_result import described
from djhop_steps_schema import constraints, schema
from djhop_steps_values import rows

#: Rows that are read.
ROWS = 20


def run(config, result):
    """Try every managed model of every database that both have."""
    there = [one for one in connections if one not in databases.REFUSED and not is_mirror(one)]
    own = [_Tried(model, alias) for alias in sorted(there) for model in _models(alias)]
    for one in own:
        one.on_its_own(result)
    were = {alias: _schema(alias) for alias in there}
    lost = [alias for alias in there if not databases.turn(connections[alias])]
    are = {alias: _schema(alias) for alias in there if alias not in lost}
    result.found["models"] = []
    for one in own:
        if one.alias not in lost:
            one.on_the_other(result)
        if one.own or one.other:
            changed = one.alias in are and one.of(were) != one.of(are)
            result.found["models"].append(dict(one.told(), changed=changed))
    result.found["skipped"] = [
        {"alias": alias, "reason": "the other side has no such database"} for alias in sorted(lost)
    ]


def _schema(alias):
    return schema(connections[alias]), constraints(connections[alias])


def _models(alias):
    models = [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy and not model._meta.swapped
    ]
    return [model for model in models if router.allow_migrate_model(alias, model)]


class _Tried(object):
    """One model on both sides: what fails on each, as {operation: exception}."""

    def __init__(self, model, alias):
        self.model, self.alias = model, alias
        self.own, self.other = {}, {}
        #: Those that can be written on its own side; if none can, one that cannot.
        self._rows = []

    def on_its_own(self, result):
        """Try it where it has to work, and keep the rows that can be written there."""
        result.running(self.model._meta.label)
        self.own = _read(self.alias, self.model)
        try:
            made = rows(self.model, self.alias)
        except Exception as error:
            self.own.update(create=error)
            return
        tried = [(row, _written(self.alias, self.model, row)) for row in made]
        self._rows = [row for row, failed in tried if not failed]
        if not self._rows:
            self.own.update(tried[0][1])
            self._rows = made[:1]

    def on_the_other(self, result):
        """Do the same there, with the same rows: a new CHECK may forbid one, and not another."""
        result.running(self.model._meta.label)
        self.other = _read(self.alias, self.model)
        tried = []
        for row in self._rows:
            tried.append(_written(self.alias, self.model, row))
            if not tried[-1]:
                return
        self.other.update(tried[0] if tried else {})

    def of(self, schemas):
        """Return what one side's schema says of the model's table."""
        return [tables.get(self.model._meta.db_table) for tables in schemas[self.alias]]

    def told(self):
        """Return it as data."""
        meta = self.model._meta
        sides = {"own": _told(self.own), "other": _told(self.other)}
        return dict(sides, model=meta.label, table=meta.db_table, alias=self.alias)


def _read(alias, model):
    failed = {}
    manager = model._base_manager.using(alias)
    for name, read in (
        ("all", lambda: list(manager.all()[:ROWS])),
        ("count", manager.count),
        ("values", lambda: list(manager.values()[:ROWS])),
    ):
        _attempt(name, read, alias, failed)
    return failed


def _written(alias, model, values):
    """Write a row, and take it back."""
    failed = {}
    with transaction.atomic(using=alias):
        _write(alias, model, values, failed)
        transaction.set_rollback(True, using=alias)
    return failed


def _write(alias, model, values, failed):
    # Nobody's rows are touched: no other row has this key.
    manager = model._base_manager.using(alias)
    try:
        fields = [field for field in model._meta.local_concrete_fields if field.attname in values]
        made = model(**values)
    except Exception as error:
        failed.update(create=error)
        return
    mine = manager.filter(pk=values[model._meta.pk.attname])
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
