from django.http import HttpResponse
from django.urls import path
from django.utils.timezone import utc

urlpatterns = [path("", lambda request: HttpResponse(str(utc)))]
