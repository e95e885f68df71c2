import datetime

import pytest

from trails.models import Trail, Walk


@pytest.fixture
def trail(db):
    return Trail.objects.create(name="Ridge Path", slug="ridge-path", kilometres="12.5")


@pytest.fixture
def walk(trail):
    started = datetime.datetime(2024, 5, 17, 6, 30, tzinfo=datetime.timezone.utc)
    return Walk.objects.create(trail=trail, walker="Ida", started=started, minutes=150)
