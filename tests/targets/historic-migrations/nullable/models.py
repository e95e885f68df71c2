from django.db import models


class Flag(models.Model):
    on = models.BooleanField(null=True)
