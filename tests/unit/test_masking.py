"""What looks secret is found by name or as a password in a URL, and masked wherever it comes by."""

from __future__ import annotations

import json
from pathlib import Path
from xml.sax.saxutils import quoteattr

import hypothesis.strategies as st
import pytest
from hypothesis import example, given

from djhop import masking
from djhop.masking import MASK, Masker, mask, shown, spans, values

URL = "postgres://shop:hun%40ter2!@db.example.com:5432/shop"


@pytest.mark.parametrize(
    "name",
    [
        *("SECRET_KEY", "DJANGO_SECRET_KEY", "PGPASSWORD", "DB_PASS", "MYSQL_PWD", "API_KEY"),
        *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "SENTRY_DSN", "APIKEY"),
        *("UV_INDEX_PRIVATE_PASSWORD", "BASIC_AUTH", "db_password", "KEY", "PASSWORD_SALT"),
    ],
)
def test_names_that_look_secret(name: str) -> None:
    assert values({name: "hunter2hunter2"}) == ("hunter2hunter2",)


@pytest.mark.parametrize(
    "name",
    [
        *("PATH", "HOME", "PWD", "OLDPWD", "GIT_AUTHOR_NAME", "COMPASS", "KEYBOARD", "MONKEY"),
        "DJANGO_SETTINGS_MODULE",
    ],
)
def test_names_that_do_not(name: str) -> None:
    assert values({name: "hunter2hunter2"}) == ()


@pytest.mark.parametrize("value", ["", "1", "true", "test", "     x    ", "django", "Password"])
def test_a_short_value_is_no_secret(value: str) -> None:
    assert values({"SECRET_KEY": value}) == ()


def test_of_a_url_the_password_is_one_as_written_and_as_meant() -> None:
    assert values({"DATABASE_URL": URL}) == ("hun%40ter2!", "hun@ter2!")
    assert values({"REPORT_TO": "https://0123456789abcdef@errors.example.com/1"}) == (
        "0123456789abcdef",
    )
    assert values({"SITE": "https://example.com/a@b"}) == ()


def test_the_lines_of_a_private_key() -> None:
    line = "MIIEpAIBAAKCAQEA0000"
    found = values({"PRIVATE_KEY": f"-----BEGIN-----\n{line}\n-----END-----"})
    assert line in found


def test_spans_say_where_without_what() -> None:
    environ = {"DATABASE_URL": URL, "SECRET_KEY": " padded-secret ", "HOME": "/home/me"}
    found = spans(environ)
    assert "hun" not in json.dumps(found)
    assert "padded" not in json.dumps(found)
    cut = {name: [environ[name][a:b] for a, b in places] for name, places in found.items()}
    assert cut == {"DATABASE_URL": ["hun%40ter2!"], "SECRET_KEY": ["padded-secret"]}


def through(environ: dict[str, str], *pieces: bytes) -> bytes:
    masker = Masker(environ)
    return b"".join(map(masker.feed, pieces)) + masker.rest()


SECRETS = st.lists(st.text(alphabet="ab<&'\"\\", min_size=6, max_size=9), min_size=1, max_size=3)


@given(SECRETS, st.data())
@example(["aaaaaab", "abbbbbbb"], None)
def test_pieces_are_masked_as_the_whole(secrets: list[str], data: st.DataObject | None) -> None:
    environ = {f"SECRET_{n}": secret for n, secret in enumerate(secrets)}
    text = "a".join(secrets).encode() * 2 + b"ab"
    if data is None:
        cuts = list(range(1, len(text)))
    else:
        cuts = sorted(data.draw(st.sets(st.integers(1, len(text) - 1))))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    masked = through(environ, *pieces)
    assert masked == through(environ, text)
    for secret in values(environ):
        assert secret.encode() not in masked


def test_other_forms_of_a_secret() -> None:
    secret = """it's <"a"> \\ secret"""
    text = f"{secret} {secret!r} {quoteattr(secret)}".encode()
    masked = through({"TOKEN": secret}, text).decode()
    assert "secret" not in masked
    assert masked.count(MASK) == 3


def test_nothing_is_held_back_where_nothing_is_secret() -> None:
    assert Masker({"HOME": "/home/me"}).feed(b"abc") == b"abc"


def test_a_file_that_something_else_wrote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masking, "CHUNK", 7)
    path = tmp_path / "junit.xml"
    path.write_text("<a>hunter2hunter2</a>" * 3)
    masking.rewrite(path, {"TOKEN": "hunter2hunter2"})
    assert path.read_text() == f"<a>{MASK}</a>" * 3
    assert list(tmp_path.iterdir()) == [path]
    masking.rewrite(tmp_path / "none.xml", {"TOKEN": "hunter2hunter2"})
    assert list(tmp_path.iterdir()) == [path]


def test_settings_are_shown_without_their_secrets() -> None:
    settings = {
        "from": "3.2",
        "packages": ["shop @ https://me:hunter2@example.com/shop.zip"],
        "set-env": {"SECRET_KEY": "hunter2hunter2", "DATABASE_URL": URL, "TZ": "UTC"},
        "override": [{"cells": "py3.8", "set-env": {"API_TOKEN": "hunter2hunter2"}}],
        "service": {"db": {"start": "serve --password hunter2hunter2 -v"}},
        "timeout": 600,
    }
    assert shown(settings) == {
        "from": "3.2",
        "packages": [f"shop @ https://{MASK}@example.com/shop.zip"],
        "set-env": {
            "SECRET_KEY": MASK,
            "DATABASE_URL": f"postgres://{MASK}@db.example.com:5432/shop",
            "TZ": "UTC",
        },
        "override": [{"cells": "py3.8", "set-env": {"API_TOKEN": MASK}}],
        "service": {"db": {"start": f"serve --password {MASK} -v"}},
        "timeout": 600,
    }


def test_credentials_of_urls_in_a_text() -> None:
    assert (
        mask("see https://me:x@example.com/a or b@c") == f"see https://{MASK}@example.com/a or b@c"
    )
    assert mask("said hunter2", ("hunter2",)) == f"said {MASK}"
