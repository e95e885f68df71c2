"""A row that a model's table takes: the least that its fields ask for."""

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


def row(model):
    """Return {attname: value} for the model's own columns; generated ones are left out."""
    meta = model._meta
    return {
        field.attname: key(field) if field.primary_key else value(field)
        for field in meta.local_concrete_fields
        if not getattr(field, "generated", False)
    }


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
