from trails.accounts import invite_warden


def test_a_warden_can_log_in_with_the_password(client, db):
    user, password = invite_warden("ida")
    assert client.login(username="ida", password=password)


def test_each_warden_gets_another_password(db):
    assert invite_warden("ida")[1] != invite_warden("ola")[1]
