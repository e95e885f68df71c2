import os

SECRET_KEY = "not a secret"
ALLOWED_HOSTS = ["shop.example"]
ROOT_URLCONF = "urls"
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "shop"]
MIDDLEWARE = ["django.middleware.security.SecurityMiddleware"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("REAL_DATABASE", ":memory:"),
        # Belongs in OPTIONS: here it does nothing.
        "POOL": {"min_size": 2},
    }
}
# Removed in 5.0.
USE_L10N = True
# No Django ever had these.
SECURE_DEFAULTS = {"hsts": 3600}
CSRF_COOKIES_SECURE = True
# Nor these; but the project's own code reads the first, and a package may read the second.
EMAIL_REPLY_TO = "shop@example.com"
REST_FRAMEWORK = {}
# Removed in 5.1.
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "django.contrib.auth.hashers.UnsaltedMD5PasswordHasher",
]
# Silenced: reported as silenced, and counted nowhere.
SILENCED_SYSTEM_CHECKS = ["fields.W340"]
