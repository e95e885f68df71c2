import os

SECRET_KEY = "not a secret"
# REUSED_DB names a file that all cells share, as a database server would.
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": "main.sqlite3",
        "TEST": {"NAME": os.environ.get("REUSED_DB", "reused.sqlite3")},
    }
}
USE_TZ = True
INSTALLED_APPS = ["app"]
