import os

SECRET_KEY = "not a secret"
INSTALLED_APPS = os.environ.get("APPS", "zone,rendered,data,indexed,nullable").split(",")
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
USE_TZ = True
