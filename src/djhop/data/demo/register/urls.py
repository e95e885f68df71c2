from django.contrib.auth.views import LogoutView
from django.urls import path

from trails import views

urlpatterns = [
    path("", views.trail_list, name="trail-list"),
    path("trails/<slug:slug>/", views.trail_detail, name="trail-detail"),
    path("trails/<slug:slug>/walks.ics", views.trail_calendar, name="trail-calendar"),
    path("walks.csv", views.walks_csv, name="walks-csv"),
    path("logout/", LogoutView.as_view(), name="logout"),
]
