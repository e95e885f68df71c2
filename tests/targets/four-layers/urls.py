import datetime

from django.http import HttpResponse
from django.urls import path
from django.utils.timezone import make_aware

OPENED = make_aware(datetime.datetime(2020, 2, 2), is_dst=None)

urlpatterns = [path("", lambda request: HttpResponse(str(OPENED.year)))]
