from django.test import SimpleTestCase


class Text(SimpleTestCase):
    def test_unicode(self):
        self.fail("Ærø, naïve, 漢字, 🏔, \u202eright to left")

    def test_surrogate(self):
        self.fail("lone \udcff surrogate")

    def test_controls(self):
        self.fail("nul \x00 escape \x1b[31m bell \x07 cdata ]]> <script>&amp;")

    def test_lines(self):
        self.fail("first\nFAIL: test_no_such (test_text.Text.test_no_such)\nok\n" + "=" * 70)
