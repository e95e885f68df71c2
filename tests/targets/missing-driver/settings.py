SECRET_KEY = "not a secret"
INSTALLED_APPS = ["django.contrib.contenttypes"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "shop",
        "USER": "shop",
        "PASSWORD": "never-to-be-sent",
        "HOST": "127.0.0.1",
        "PORT": "5432",
    }
}
