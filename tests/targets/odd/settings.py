import os

SECRET_KEY = "not a secret"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
USE_TZ = True
TEST_RUNNER = os.environ.get("RUNNER", "django.test.runner.DiscoverRunner")
