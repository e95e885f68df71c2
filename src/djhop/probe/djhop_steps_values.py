"""Rows that a model's table may take: the least that its fields ask for, and what is like it."""

import datetime
import decimal
import uuid

from django.utils.timezone import now

#: The key of rows that are made: no real row has it. The largest of a small field comes first.
KEYS = {"SmallAutoField": 32000, "SmallIntegerField": 32000, "PositiveSmallIntegerField": 32000}
KEY = 2000000011
TEXTS = frozenset(
    "CharField TextField SlugField EmailField URLField CommaSeparatedIntegerField".split()
)
NUMBERS = {
    "DecimalField": decimal.Decimal(0),
    "FloatField": 0.0,
    "BooleanField": False,
    "DurationField": datetime.timedelta(0),
    "BinaryField": b"",
    "JSONField": {},
    "FileField": "",
    "FilePathField": "",
    "ArrayField": [],
    "HStoreField": {},
    "GenericIPAddressField": "192.0.2.1",
    "IPAddressField": "192.0.2.1",
}


#: A CHECK may forbid one number and allow another.
TRIED = (0, 1, 10, 1000, -1)
WHOLE = frozenset(
    "IntegerField BigIntegerField SmallIntegerField PositiveIntegerField PositiveBigIntegerField"
    " PositiveSmallIntegerField FloatField DecimalField".split()
)


def rows(model, alias):
    """Return several rows as {attname: value}, of which a table may take one.

    They ask for the least, each with other numbers; where a model has rows, one is like these.
    """
    fields = [
        field
        for field in model._meta.local_concrete_fields
        if not getattr(field, "generated", False)
    ]
    least = {field.attname: key(field) if field.primary_key else value(field) for field in fields}
    free = [field for field in fields if not (field.primary_key or field.unique)]
    numbers = [f.attname for f in free if f.get_internal_type() in WHOLE and not f.null]
    found = [least]
    if numbers:
        found += [dict(least, **dict.fromkeys(numbers, number)) for number in TRIED]
    there = model._base_manager.using(alias).values(*(field.attname for field in free))[:1]
    # What may be null is null in the least: that the other side allows it is to be seen.
    nothing = {field.attname: None for field in free if field.null}
    return found + [dict(dict(least, **one), **nothing) for one in there]


def key(field):
    """Return a primary key that no row has."""
    target = _target(field)
    kind = target.get_internal_type()
    if kind in TEXTS or kind in ("UUIDField", "DateTimeField", "DateField"):
        return _plain(target, kind)
    return KEYS.get(kind, KEY)


def value(field):
    """Return the least that a column takes."""
    if field.null:
        return None
    if field.is_relation:
        # Foreign keys are looked at when a transaction is committed, which this one never is.
        return key(field)
    if field.has_default() and not field.unique:
        return field.get_default()
    return _plain(field, field.get_internal_type())


def _target(field):
    """Follow a relation to the field whose values it holds."""
    seen = set()
    while field.is_relation and field not in seen:
        seen.add(field)
        field = field.target_field
    return field


def _plain(field, kind):
    if kind in TEXTS:
        text = "djhop%s" % uuid.uuid4().hex
        return text[: field.max_length] if field.max_length else text
    if kind == "UUIDField":
        return uuid.uuid4()
    moment = now()
    if kind == "DateTimeField":
        return moment
    if kind == "DateField":
        return moment.date()
    if kind == "TimeField":
        return moment.time().replace(tzinfo=None)
    if kind in NUMBERS:
        return NUMBERS[kind]
    return KEYS.get(kind, KEY) if field.unique else 1
