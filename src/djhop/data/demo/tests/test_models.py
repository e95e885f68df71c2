import pytest
from django.db import IntegrityError
from django.test import TestCase

from trails.models import Trail, Walk


def test_a_trail_is_called_by_its_name(trail):
    assert str(trail) == "Ridge Path"


def test_a_trail_has_an_address(trail):
    assert trail.get_absolute_url() == "/trails/ridge-path/"


def test_two_trails_cannot_share_a_slug(trail):
    with pytest.raises(IntegrityError):
        Trail.objects.create(name="Other", slug="ridge-path", kilometres=1)


def test_pace_is_minutes_per_kilometre(walk):
    assert walk.pace == 12.0


def test_deleting_a_trail_deletes_its_walks(walk):
    walk.trail.delete()
    assert Walk.objects.count() == 0


class TrailOrder(TestCase):
    @classmethod
    def setUpTestData(cls):
        for name in ["Shore", "Fell", "Moor"]:
            Trail.objects.create(name=name, slug=name.lower(), kilometres=5)

    def test_trails_come_by_name(self):
        names = [trail.name for trail in Trail.objects.all()]
        self.assertEqual(names, ["Fell", "Moor", "Shore"])

    def test_closed_trails_can_be_left_out(self):
        Trail.objects.filter(slug="moor").update(open=False)
        self.assertQuerysetEqual(
            Trail.objects.filter(open=True), ["Fell", "Shore"], transform=str
        )
