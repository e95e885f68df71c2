"""Tests that are coroutines, of Django and of the standard library."""

import unittest

from django.contrib.contenttypes.models import ContentType
from django.test import SimpleTestCase, TestCase
from django.utils.html import format_html


class Async(SimpleTestCase):
    async def test_deprecated(self):
        self.assertEqual(format_html("<br>"), "<br>")

    async def test_removed(self):
        from django.utils import timezone

        self.assertTrue(timezone.utc)


class Rows(TestCase):
    async def test_reads(self):
        self.assertEqual(await ContentType.objects.filter(model="none").acount(), 0)

    async def test_fails(self):
        self.assertEqual(await ContentType.objects.filter(model="none").acount(), 1)


class Isolated(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.ready = True

    async def test_passes(self):
        self.assertTrue(self.ready)

    async def test_deprecated(self):
        self.assertEqual(format_html("<br>"), "<br>")
