"""`djhop peel` as a user runs it, on a target with four layers; Django's own runner agrees."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import djhop_cli
import oracle
import pytest

FOUR = Path(oracle.__file__).parent / "targets" / "four-layers"
OLD, NEW = "py3.12-django4.2", "py3.12-django5.2"

pytestmark = pytest.mark.needs_python("3.12")


def plainly(python: Path, target: Path) -> tuple[str, str]:
    """The last error of Django's own runner, and how it says that it went."""
    argv = [str(python), "-B", "manage.py", "test"]
    done = subprocess.run(argv, cwd=target, capture_output=True, text=True, check=False)
    lines = done.stderr.strip().splitlines()
    errors = [line for line in lines if "Error: " in line]
    return (errors or [""])[-1], next((line for line in lines if line.startswith("FAILED")), "")


def peel_again(out: Path, cache: Path, *options: str) -> tuple[int, str, str]:
    argv = [sys.executable, "-m", "djhop", "peel", "--out", str(out), *options]
    env = {**os.environ, "DJHOP_CACHE": str(cache), "PYTHONPATH": str(djhop_cli.SRC)}
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=env)
    return done.returncode, done.stdout, done.stderr


def change(path: Path, before: str, after: str) -> None:
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def test_four_layers_are_taken_away_and_nothing_of_it_counts(shared: Path, tmp_path: Path) -> None:
    target = tmp_path / "four"
    shutil.copytree(FOUR, target)
    were = {path: path.read_bytes() for path in target.rglob("*") if path.is_file()}
    settings = {"from": "4.2", "to": "5.2", "steps": ["4.2", "5.2"], "python": "3.12"}
    matrix = djhop_cli.matrix_file(tmp_path / "m.toml", {**settings, "test": ["manage.py", "test"]})
    cache, out = shared / "djhop", tmp_path / "reports"
    done = djhop_cli.run(target, matrix, cache=cache, out=out, options=["--peel", "300"])
    assert (done.returncode, done.hop(OLD, NEW)["verdict"]) == (1, "breaks"), done.said
    assert {c["id"]: c["status"] for c in done.run["cells"]}[NEW] == "uncollectable"
    assert {path: path.read_bytes() for path in target.rglob("*") if path.is_file()} == were

    (peel,) = done.run["peels"]
    assert json.loads((done.folder / "peel" / f"{NEW}.json").read_text()) == peel
    layers = [(one["how"], one["seen"]["place"], one["back"]) for one in peel["layers"]]
    assert layers == [
        ("fixer", "parcels/models.py:2", 0),
        ("left-out", "reports_old/models.py:5", 0),
        ("shim", "urls.py:7", 3),
        ("left-out", "test_storage.py:1", 0),
    ]
    assert {one["seen"]["owner"]["kind"] for one in peel["layers"]} == {"project"}
    assert (peel["ended"], peel["runs"]) == ("runs", 4)
    assert peel["still"] == ["test_kind.Kind.test_still_fails"]
    assert peel["missing"] == ["test_storage.Storage.test_class"]
    for name in ("report.txt", "report.md"):
        report = " ".join((done.folder / name).read_text().split())
        assert "4 layers taken away, and the suite runs; 1 of 3 tests still fails" in report

    assert peel_again(out, cache, "--cell", OLD)[0] == 2
    code, printed, said = peel_again(out, cache, "--json", "--budget", "0.01")
    (found,) = json.loads(printed)
    assert (code, found["ended"], found["layers"]) == (4, "budget", []), said

    # The same by hand, layer by layer.
    python = done.python(NEW)
    seen = [plainly(python, target)]
    change(target / "parcels/models.py", "from django.utils.timezone import utc", "utc = None")
    seen.append(plainly(python, target))
    change(target / "settings.py", ', "reports_old.apps.ReportsConfig"', "")
    seen.append(plainly(python, target))
    change(target / "urls.py", ", is_dst=None", "")
    seen.append(plainly(python, target))
    (target / "test_storage.py").unlink()
    seen.append(plainly(python, target))
    messages = [one["seen"]["message"].partition(" (")[0] for one in peel["layers"]]
    for message, (error, _) in zip(messages[:3], seen, strict=False):
        assert message in error
    assert [last for _, last in seen[3:]] == [
        "FAILED (failures=1, errors=1)",
        "FAILED (failures=1)",
    ]
    code, _, said = peel_again(out, cache)
    assert (code, "is not what" in said) == (2, True)
