from django.db import models
from django.urls import reverse
from django.utils import timezone


class Trail(models.Model):
    name = models.CharField(max_length=80)
    slug = models.SlugField(unique=True)
    kilometres = models.DecimalField(max_digits=5, decimal_places=1)
    open = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return reverse("trail-detail", args=[self.slug])


class Walk(models.Model):
    trail = models.ForeignKey(Trail, on_delete=models.CASCADE, related_name="walks")
    walker = models.CharField(max_length=80)
    started = models.DateTimeField(default=timezone.now)
    minutes = models.PositiveIntegerField()

    class Meta:
        ordering = ["started"]

    def __str__(self):
        return f"{self.walker} on {self.trail}"

    @property
    def pace(self):
        """Minutes per kilometre, to a tenth."""
        return round(self.minutes / float(self.trail.kilometres), 1)
