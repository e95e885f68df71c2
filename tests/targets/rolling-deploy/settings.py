import os

import django

SECRET_KEY = "not a secret"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = os.environ.get("APPS", "adds").split(",")
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("REAL_DATABASE", ":memory:"),
    }
}
# What a package's new release does: from Django 5 on there are further migrations.
if django.VERSION >= (5,):
    MIGRATION_MODULES = {app: "%s.newer" % app for app in INSTALLED_APPS}
