"""Accounts of the wardens who look after the trails."""

from django.contrib.auth import get_user_model


def invite_warden(username):
    """Make an account with a password of its own; return both."""
    users = get_user_model().objects
    password = users.make_random_password()
    return users.create_user(username, password=password), password
