"""Walks, for calendars and spreadsheets."""

import csv
import datetime
import io

from django.utils import timezone


def calendar_time(moment):
    """A time as calendars want it, in UTC: 20240517T063000Z."""
    return moment.astimezone(timezone.utc).strftime("%Y%m%dT%H%M%SZ")


def calendar(trail):
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0"]
    for walk in trail.walks.all():
        lines += [
            "BEGIN:VEVENT",
            f"DTSTART:{calendar_time(walk.started)}",
            f"SUMMARY:{walk}",
            "END:VEVENT",
        ]
    return "\r\n".join([*lines, "END:VCALENDAR", ""])


def spreadsheet(walks):
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(["trail", "walker", "minutes"])
    rows.writerows([walk.trail.name, walk.walker, walk.minutes] for walk in walks)
    return out.getvalue()


def file_name(prefix):
    """A name that sorts by day, such as walks-2024-05-17.csv."""
    return f"{prefix}-{datetime.datetime.utcnow():%Y-%m-%d}.csv"
