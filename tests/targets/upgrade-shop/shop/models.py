from django.conf import settings
from django.db import models


class Customer(models.Model):
    name = models.CharField(max_length=50)

    def reply_to(self):
        return settings.EMAIL_REPLY_TO


class Order(models.Model):
    number = models.IntegerField(unique=True)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE)
    watchers = models.ManyToManyField(Customer, related_name="watched", null=True)
