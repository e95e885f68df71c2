"""Rules that a trail must keep, whoever enters it."""

from django.core.exceptions import ValidationError
from django.db import models

from trails.models import Trail


def length_rule():
    return models.CheckConstraint(
        check=models.Q(kilometres__gt=0) & models.Q(kilometres__lt=500),
        name="trail_has_a_length",
    )


def keeps_the_rules(trail):
    try:
        length_rule().validate(Trail, trail)
    except ValidationError:
        return False
    return True
