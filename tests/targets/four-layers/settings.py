SECRET_KEY = "not a secret"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
INSTALLED_APPS = ["parcels", "reports_old.apps.ReportsConfig"]
USE_TZ = True
ROOT_URLCONF = "urls"
