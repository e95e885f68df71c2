"""`djhop deps` with real uv and real packages: what can move today, and commands that do it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
import oracle
import pytest
import uv

pytestmark = pytest.mark.integration

#: A project of 2021; by this day all that it takes to get to Django 4.2 is there.
PINS = ("Django>=3.2,<4", "django-celery-beat==2.2.1", "celery==5.0.5")
THEN = "2024-05-01"
SCHEMAS = Path(__file__).parents[2] / "docs" / "schema"


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


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.needs_python("3.12")
def test_the_commands_for_uv_carry_a_hop_out(cache: Path, tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    shop.mkdir()
    (shop / "manage.py").write_text('import os\nos.environ["DJANGO_SETTINGS_MODULE"] = "s"\n')
    (shop / "pyproject.toml").write_text(
        '[project]\nname = "shop"\nversion = "1"\nrequires-python = ">=3.12"\n'
        'dependencies = ["django==4.2.*", "celery[redis]==5.3.6"]\n'
        '[dependency-groups]\ndev = ["django==4.2.*", "django-celery-beat==2.5.0"]\n'
        '[project.optional-dependencies]\ntest = ["django-filter==23.5"]\n'
    )
    env = {k: v for k, v in os.environ.items() if not k.startswith("UV_")}
    env |= {"UV_PYTHON": str(oracle.interpreters()["3.12"])}
    env["PATH"] = f"{Path(uv.find_uv_bin()).parent}{os.pathsep}{env['PATH']}"
    subprocess.run(["uv", "lock", "-q"], cwd=shop, env=env, check=True)
    done = djhop(cache, str(shop), "--to", "5.2", "--python", "3.12", "--emit", "uv")
    assert done.code == 0

    copy = shutil.copytree(shop, tmp_path / "copy")
    subprocess.run(["sh", "-e"], input=done.out, text=True, cwd=copy, env=env, check=True)
    after = tomllib.loads((copy / "pyproject.toml").read_text())
    own, dev = after["project"]["dependencies"], after["dependency-groups"]["dev"]
    # Django stands in two lists; no lock is possible between the two commands that change it.
    assert "django==5.2.*" in own
    assert "django==5.2.*" in dev
    assert any(line.startswith("celery[redis]==") for line in own)
    assert sorted(line.partition("==")[0] for line in own) == ["celery[redis]", "django"]
    assert sorted(line.partition("==")[0] for line in dev) == ["django", "django-celery-beat"]
    assert "django-celery-beat==2.5.0" not in dev
    locked = tomllib.loads((copy / "uv.lock").read_text())["package"]
    assert any(p["name"] == "django" and p["version"].startswith("5.2") for p in locked)


@pytest.mark.slow
@pytest.mark.needs_python("3.12")
def test_the_commands_for_requirement_files_install_and_say_where_to_write(
    cache: Path, tmp_path: Path
) -> None:
    """uv has no project here: `uv add` would fail."""
    shop = project(tmp_path / "shop", "-r base.in", "django-celery-beat==2.5.0", python="3.12")
    (shop / "base.in").write_text("Django==4.2.*\n")
    done = djhop(cache, str(shop), "--to", "5.0", "--emit", "uv", "-q")
    assert (done.code, done.err) == (0, "")
    assert "uv add" not in done.out
    lines = done.out.splitlines()
    at = lines.index("uv pip install 'django==5.0.*'")
    assert lines[at - 1] == "# write into base.in: django==5.0.*"
    (beat,) = [line for line in lines if line.startswith("uv pip install django-celery-beat==")]
    pin = beat.rpartition(" ")[2]
    assert lines[lines.index(beat) - 1] == f"# write into requirements.txt: {pin}"

    env = {k: v for k, v in os.environ.items() if not k.startswith("UV_")}
    env["VIRTUAL_ENV"] = str(tmp_path / "env")
    env["PATH"] = f"{Path(uv.find_uv_bin()).parent}{os.pathsep}{env['PATH']}"
    python = str(oracle.interpreters()["3.12"])
    subprocess.run(["uv", "venv", "-q", "-p", python, env["VIRTUAL_ENV"]], env=env, check=True)
    subprocess.run(["sh", "-e"], input=done.out, text=True, cwd=shop, env=env, check=True)
    listed = subprocess.run(
        ["uv", "pip", "freeze"], env=env, check=True, capture_output=True, text=True
    )
    assert pin in listed.stdout.splitlines()
    assert "\ndjango==5.0" in listed.stdout


@pytest.mark.slow
@pytest.mark.needs_python("3.9")
def test_it_says_what_it_resolves_where_that_is_in_nobodys_way(cache: Path, tmp_path: Path) -> None:
    shop = project(tmp_path / "shop", *PINS, python="3.9")
    spoken = djhop(cache, str(shop), "--to", "4.2", "--fresh")
    clock = r"\d\d:\d\d:\d\d  "
    for words in (
        r"py3\.9-django3\.2  lock of \d+ packages",
        r"py3\.9-django4\.2  lock of \d+ packages",
        r"py3\.9-django3\.2 → py3\.9-django4\.2  what can move before it",
        "what releases declare of themselves",
    ):
        assert re.search(f"(?m)^{clock}{words}$", spoken.err), (words, spoken.err)
    assert not re.search(clock, spoken.out)
    assert djhop(cache, str(shop), "--to", "4.2", "-q").err == ""
    silent = djhop(cache, str(shop), "--to", "4.2", "--fresh", "--json")
    assert silent.err == ""
    schema = json.loads((SCHEMAS / "deps.schema.json").read_text("utf-8"))
    jsonschema.validate(silent.json, schema)


@pytest.mark.needs_python("3.12")
def test_the_policy_of_the_command_line_counts(cache: Path, tmp_path: Path) -> None:
    shop = project(tmp_path / "shop", "Django==4.2.*", "six==1.15.0", python="3.12")
    frozen = djhop(cache, str(shop), "--to", "5.0", "--policy", "frozen", "--json").json
    latest = djhop(cache, str(shop), "--to", "5.0", "--policy", "latest", "--json").json
    moved = [[m["package"] for m in found["first"]["moves"]] for found in (frozen, latest)]
    assert moved == [[], ["six"]]


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
