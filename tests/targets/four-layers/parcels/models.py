from django.db import models
from django.utils.timezone import utc

ZONE = utc


class Parcel(models.Model):
    sent = models.DateTimeField()
