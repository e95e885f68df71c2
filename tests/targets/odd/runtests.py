"""A runner as reusable apps have it: settings made on the spot, Django's runner called by hand."""

import sys

import django
from django.conf import settings
from django.test.utils import get_runner

if __name__ == "__main__":
    settings.configure(
        SECRET_KEY="not a secret",
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        USE_TZ=True,
    )
    django.setup()
    sys.exit(bool(get_runner(settings)().run_tests(sys.argv[1:] or ["."])))
