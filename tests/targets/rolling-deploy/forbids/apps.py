import django
from django.apps import AppConfig
from django.db.models.signals import post_migrate


class Forbids(AppConfig):
    name = "forbids"

    def ready(self):
        if django.VERSION >= (5,):
            post_migrate.connect(remove_cheap, sender=self)


def remove_cheap(sender, **kwargs):
    sender.get_model("Order").objects.filter(price__lt=20).delete()
