from django.test import TestCase
from django_celery_beat.models import CrontabSchedule

from shop.models import Product


class ProductTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        Product.objects.create(name="lamp", price="9.50")
        Product.objects.create(name="desk", price="120.00")

    def test_list(self):
        found = self.client.get("/api/products/").json()
        self.assertEqual([item["name"] for item in found], ["desk", "lamp"])

    def test_filter(self):
        found = self.client.get("/api/products/", {"dearer_than": 100}).json()
        self.assertEqual(found, [{"name": "desk", "price": "120.00"}])


class ScheduleTests(TestCase):
    def test_a_schedule_is_kept(self):
        CrontabSchedule.objects.create(minute="5")
        self.assertEqual(CrontabSchedule.objects.get().minute, "5")
