def pytest_sessionfinish(session):
    from django.utils.timezone import now, utc

    assert now().tzinfo == utc
