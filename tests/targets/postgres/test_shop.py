import os
import time
from urllib.parse import urlsplit

import psycopg2
from django.db import connection
from django.test import TestCase, TransactionTestCase

from shop.models import Order


class Orders(TestCase):
    def test_the_first(self):
        Order.objects.create(number=1)
        self.assertEqual(Order.objects.count(), 1)

    def test_none_is_left(self):
        self.assertEqual(Order.objects.count(), 0)


class Committed(TransactionTestCase):
    def test_committed(self):
        Order.objects.create(number=1)
        self.assertEqual(Order.objects.count(), 1)


class Meeting(TestCase):
    def test_as_many_cells_as_are_told_are_here_at_the_same_time(self):
        """Waits, in a database that is not a test's, for the other cells to say they are here."""
        expected = int(os.environ.get("MEETING", "1"))
        url = urlsplit(os.environ["DATABASE_URL"])
        server = psycopg2.connect(
            host=url.hostname, port=url.port, user=url.username, dbname=url.path[1:]
        )
        server.autocommit = True
        cursor = server.cursor()
        name = connection.settings_dict["NAME"]
        cursor.execute("SELECT pg_advisory_lock(1)")
        cursor.execute("CREATE TABLE IF NOT EXISTS meeting (place text)")
        cursor.execute("SELECT pg_advisory_unlock(1)")
        cursor.execute("INSERT INTO meeting VALUES (%s)", [name])
        limit = time.monotonic() + 120
        here = 0
        while here < expected and time.monotonic() < limit:
            time.sleep(0.05)
            cursor.execute("SELECT count(DISTINCT place) FROM meeting")
            (here,) = cursor.fetchone()
        server.close()
        self.assertGreaterEqual(here, expected)
