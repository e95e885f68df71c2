"""`djhop deps` with real uv and real packages: what can move today, and commands that do it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

import oracle
import pytest
import uv

pytestmark = pytest.mark.integration

#: A project of 2021; by this day all that it takes to get to Django 4.2 is there.
PINS = ("Django>=3.2,<4", "django-celery-beat==2.2.1", "celery==5.0.5")
THEN = "2024-05-01"


class Done(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def djhop(cache: Path, *args: str, **env: str) -> Done:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("UV_", "PYTEST_", "COV_"))}
    done = subprocess.run(
        [sys.executable, "-m", "djhop", "deps", *args],
        env={**clean, "DJHOP_CACHE": str(cache), **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert "Traceback" not in done.stderr, done.stderr
    assert "internal error" not in done.stderr, done.stderr
    return Done(done.returncode, done.stdout, done.stderr)


def project(folder: Path, *requirements: str, python: str) -> Path:
    folder.mkdir()
    (folder / "manage.py").write_text('import os\nos.environ["DJANGO_SETTINGS_MODULE"] = "s"\n')
    (folder / "s.py").write_text('SECRET_KEY = "x"\n')
    (folder / "requirements.txt").write_text("".join(f"{line}\n" for line in requirements))
    (folder / "djhop.toml").write_text(f'python = "{python}"\nexclude-newer = "{THEN}"\n')
    return folder


def today(hop: dict[str, Any]) -> list[list[str]]:
    return [[move["package"] for move in step["moves"]] for step in hop["order"]["today"]]


@pytest.mark.needs_python("3.9")
def test_what_can_move_today_is_found_in_an_order_that_works(cache: Path, tmp_path: Path) -> None:
    """django-celery-beat's first release for Django 4.2 needs a newer celery.

    celery says nothing of Django, so that what packages declare of Django does not show it.
    """
    shop = project(tmp_path / "shop", *PINS, python="3.9")
    done = djhop(cache, str(shop), "--to", "4.2", "--json")
    assert done.code == 0
    (hop,) = done.json["hops"]
    assert today(hop) == [["celery"], ["django-celery-beat"]]
    celery, beat = (step["moves"][0] for step in hop["order"]["today"])
    assert "celery>=5.2.3" in celery["why"]
    assert "django>=2.2,<4.0" in beat["why"]
    assert [move["package"] for move in hop["order"]["hop"]] == ["django"]
    (says,) = hop["declared"]
    assert (says["package"], says["says"]) == ("django-celery-beat", "support")

    # Nothing changed: no process is started, so that no uv is needed.
    again = djhop(cache, str(shop), "--to", "4.2", "--json", UV_DEFAULT_INDEX="")
    assert again.json == done.json
    none = djhop(cache, str(shop), "--to", "4.2", "--offline")
    assert none.code == 0
    assert "Today, on Django 3.2: one small change each, in this order" in none.out


@pytest.mark.needs_python("3.9")
def test_each_step_of_today_really_installs_on_the_django_of_today(
    cache: Path, tmp_path: Path
) -> None:
    shop = project(tmp_path / "shop", *PINS, python="3.9")
    (hop,) = djhop(cache, str(shop), "--to", "4.2", "--json").json["hops"]
    pins = {"django": "3.2.25", "celery": "5.0.5", "django-celery-beat": "2.2.1"}
    for step in hop["order"]["today"]:
        pins |= {move["package"]: move["after"] for move in step["moves"]}
        asked = "".join(f"{name}=={version}\n" for name, version in pins.items())
        python = str(oracle.interpreters()["3.9"])
        done = subprocess.run(
            [uv.find_uv_bin(), "pip", "compile", "--python", python, "-"],
            input=asked,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr


@pytest.mark.needs_python("3.9")
def test_what_must_move_with_django_is_told_apart_and_says_why(cache: Path, tmp_path: Path) -> None:
    """No release of wagtail runs on Django 2.2 and on 3.2; one runs on 3.2 and on 4.2."""
    pins = ("Django==2.2.28", "wagtail==2.11.9", "django-filter==2.4.0")
    shop = project(tmp_path / "shop", *pins, python="3.9")
    first, second = djhop(cache, str(shop), "--to", "4.2", "--json").json["hops"]
    assert (today(first), today(second)) == ([], [["wagtail"]])
    assert [move["package"] for move in first["order"]["hop"]] == ["django", "wagtail"]
    assert "does not run after it" in first["order"]["because"]["wagtail"]
    assert [move["package"] for move in second["order"]["hop"]] == ["django"]


@pytest.mark.needs_python("3.12")
def test_the_commands_for_uv_carry_a_hop_out(cache: Path, tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    shop.mkdir()
    (shop / "manage.py").write_text('import os\nos.environ["DJANGO_SETTINGS_MODULE"] = "s"\n')
    (shop / "pyproject.toml").write_text(
        '[project]\nname = "shop"\nversion = "1"\nrequires-python = ">=3.12"\n'
        'dependencies = ["django==4.2.*", "django-celery-beat==2.5.0", "celery[redis]==5.3.6"]\n'
    )
    env = {k: v for k, v in os.environ.items() if not k.startswith("UV_")}
    env |= {"UV_NO_SYNC": "1", "UV_PYTHON": str(oracle.interpreters()["3.12"])}
    env["PATH"] = f"{Path(uv.find_uv_bin()).parent}{os.pathsep}{env['PATH']}"
    subprocess.run(["uv", "lock", "-q"], cwd=shop, env=env, check=True)
    done = djhop(cache, str(shop), "--to", "5.2", "--python", "3.12", "--emit", "uv")
    assert done.code == 0

    copy = shutil.copytree(shop, tmp_path / "copy")
    subprocess.run(["sh", "-e"], input=done.out, text=True, cwd=copy, env=env, check=True)
    after = tomllib.loads((copy / "pyproject.toml").read_text())["project"]["dependencies"]
    assert "django==5.2.*" in after
    assert any(line.startswith("celery[redis]==") for line in after)
    assert not any(line == "django-celery-beat==2.5.0" for line in after)
    locked = tomllib.loads((copy / "uv.lock").read_text())["package"]
    assert any(p["name"] == "django" and p["version"].startswith("5.2") for p in locked)


def test_a_blocked_hop_is_3_and_an_unseen_one_is_4(cache: Path, tmp_path: Path) -> None:
    shop = project(
        tmp_path / "shop", "Django>=4.2,<5", "djhop-has-no-such-package==1", python="3.12"
    )
    done = djhop(cache, str(shop), "--to", "5.2")
    assert done.code == 3
    assert "djhop-has-no-such-package is not on the index" in done.out
    lost = djhop(tmp_path / "empty", str(shop), "--to", "5.2", "--offline")
    assert lost.code == 4
    assert "--offline" in lost.out


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--emit", "conda"), "--emit"),
        (("--emit", "uv", "--json"), "exclude each other"),
        (("--to", "9.9"), "unknown Django series"),
        (("nowhere",), "is not a directory"),
    ],
)
def test_bad_input_is_2_and_says_what(
    cache: Path, tmp_path: Path, args: tuple[str, ...], said: str
) -> None:
    shop = project(tmp_path / "shop", "Django>=4.2,<5", python="3.12")
    target = () if args == ("nowhere",) else (str(shop),)
    done = djhop(cache, *target, *args)
    assert done.code == 2
    assert said in done.err
