from django.utils.timezone import utc

ZONE = str(utc)
