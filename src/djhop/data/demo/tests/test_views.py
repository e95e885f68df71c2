import pytest
from django.contrib.auth import get_user_model


def test_the_list_shows_open_trails(client, trail):
    assert b"Ridge Path" in client.get("/").content


def test_the_list_hides_closed_trails(client, trail):
    trail.open = False
    trail.save()
    assert b"No trail is open." in client.get("/").content


def test_an_unknown_trail_is_not_found(client, db):
    assert client.get("/trails/nowhere/").status_code == 404


def test_a_trail_page_lists_its_walks(client, walk):
    assert b"Ida, 150 minutes" in client.get("/trails/ridge-path/").content


def test_a_trail_page_says_when_nobody_walked_it(client, trail):
    assert b"Nobody has walked it yet." in client.get("/trails/ridge-path/").content


@pytest.fixture
def warden(client, db):
    user = get_user_model().objects.create_user("warden")
    client.force_login(user)
    return user


def test_the_logout_link_ends_the_session(client, warden):
    response = client.get("/logout/")
    assert response.status_code == 302
    assert "_auth_user_id" not in client.session
