from django.test import SimpleTestCase


class Kind(SimpleTestCase):
    def test_uses_urls(self):
        self.assertEqual(self.client.get("/").content, b"UTC")

    def test_uses_none(self):
        pass
