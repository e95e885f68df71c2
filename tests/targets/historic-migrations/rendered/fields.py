from django.db import models


class Grouped(models.IntegerField):
    def contribute_to_class(self, cls, name, **kwargs):
        super().contribute_to_class(cls, name, **kwargs)
        # Gone in 5.1. No traceback names the migration that still needs it.
        self.grouped = cls._meta.index_together
