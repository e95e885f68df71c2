import datetime

from trails import exports


def test_calendar_times_are_in_utc():
    oslo = datetime.timezone(datetime.timedelta(hours=2))
    moment = datetime.datetime(2024, 5, 17, 8, 30, tzinfo=oslo)
    assert exports.calendar_time(moment) == "20240517T063000Z"


def test_a_calendar_has_one_event_per_walk(walk):
    assert exports.calendar(walk.trail).count("BEGIN:VEVENT") == 1


def test_the_calendar_is_served(client, walk):
    response = client.get("/trails/ridge-path/walks.ics")
    assert response["Content-Type"] == "text/calendar"
    assert b"DTSTART:20240517T063000Z" in response.content


def test_a_calendar_without_walks_is_empty(trail):
    assert "VEVENT" not in exports.calendar(trail)


def test_the_spreadsheet_has_a_row_per_walk(client, walk):
    assert client.get("/walks.csv").content.decode().splitlines() == [
        "trail,walker,minutes",
        "Ridge Path,Ida,150",
    ]


def test_a_file_is_named_after_its_day():
    assert exports.file_name("walks").startswith("walks-2")
