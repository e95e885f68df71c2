"""Workflows and the jobs of a plan: what is written for which CI, and what is refused."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from djhop.arguments import options
from djhop.bundles.planned import Planned
from djhop.ci import fanning, workflows
from djhop.ci.workflows import SYSTEMS, Night
from djhop.commands import merging
from djhop.commands import workflows as commands
from djhop.errors import InfraError, UsageError
from djhop.matrix.config import Matrix
from djhop.matrix.plan import Cell, Plan
from djhop.store import record
from djhop.target.target import Target

A, B = (Cell(django=series, python="3.12") for series in ("4.2", "5.2"))
NOW = datetime.datetime(2026, 11, 21, tzinfo=datetime.UTC)
GIVEN: dict[str, Any] = {"matrix": None, "start": None, "goal": None, "python": None,
                         "shards": (), "install": "djhop", "timeout": 60}  # fmt: skip


def planned(**shards: int) -> Planned:
    plan = Plan(cells=(A, B), path=(A, B), hops=())
    target = Target(root="/there/shop", name="shop", sources=())
    run = record.begin("lts", target, Matrix(name="lts"), plan, started=NOW)
    return Planned(run=run, digest="d", shards={A.id: shards["a"]} if shards else {})


def test_the_forms_that_can_be_typed_are_those_there_are() -> None:
    assert set(options.PLAN_FORMATS) == {"text", "json", *fanning.FORMS}


def test_a_matrix_for_github_is_one_line_with_a_job_for_each_cell_or_part() -> None:
    text = fanning.github(planned(a=2), "", ".")
    assert "\n" not in text
    jobs = json.loads(text)["include"]
    assert [(job["cell"], job["shard"]) for job in jobs] == [
        (A.id, "1/2"),
        (A.id, "2/2"),
        (B.id, ""),
    ]
    assert [job["bundle"] for job in jobs] == [f"{A.id}-1-of-2", f"{A.id}-2-of-2", B.id]


def test_github_takes_no_matrix_of_more_than_256_jobs() -> None:
    assert json.loads(fanning.github(planned(a=255), "", "."))
    with pytest.raises(UsageError, match="257 jobs"):
        fanning.github(planned(a=256), "", ".")


def test_the_child_pipeline_includes_the_file_that_was_written() -> None:
    made = json.loads(fanning.gitlab(planned(), "", "."))
    assert made.pop("include") == [{"local": SYSTEMS["gitlab"].path}]
    assert {job["extends"] for job in made.values()} == {".djhop-cell"}
    assert made[B.id]["variables"] == {"CELL": B.id, "SHARD": "", "BUNDLE": B.id}


def test_the_last_step_of_buildkite_waits_for_all_and_runs_whatever_became_of_them() -> None:
    *steps, last = json.loads(fanning.buildkite(planned(a=2), "shop --matrix 'a b'", "shop"))[
        "steps"
    ]
    assert [step["step"] for step in last["depends_on"]] == [step["key"] for step in steps]
    assert all(step["allow_failure"] for step in last["depends_on"])
    assert "djhop run shop --matrix 'a b' --plan" in steps[0]["command"][1]
    assert "--shard 1/2" in steps[0]["command"][1]


def test_lines_are_for_whoever_reads_no_json() -> None:
    assert fanning.lines(planned(a=2), "", ".").splitlines()[1:] == [
        f"{A.id}-2-of-2\t{A.id}\t2/2",
        f"{B.id}\t{B.id}\t",
    ]


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_workflow_says_the_matrix_wherever_it_is_run(system: str) -> None:
    night = Night(words=("shop", "--matrix", "my matrix.toml"), shards=("3",), target="shop")
    text = workflows.render(system, night)
    assert "djhop plan shop --matrix 'my matrix.toml' --shards 3 --save" in text
    assert "[[" not in text.replace("if [[", "") and "[%" not in text
    if system != "buildkite":  # there, the plan writes the steps
        assert "djhop run shop --matrix 'my matrix.toml' --plan" in text
        assert "shop/djhop-baseline.txt" in text
    if system == "github":
        pinned = [line for line in text.splitlines() if "uses:" in line]
        assert pinned and all(len(line.split("@")[1].split()[0]) == 40 for line in pinned)


def test_github_keeps_the_history_of_a_red_night_too() -> None:
    text = workflows.render("github", Night(words=()))
    steps = YAML(typ="safe").load(text)["jobs"]["report"]["steps"]
    mine = {s["uses"].partition("@")[0]: s for s in steps if "cache" in s.get("uses", "")}
    save = mine["actions/cache/save"]
    # What "actions/cache" itself saves in the end, it saves where the job is green.
    assert mine.keys() == {"actions/cache/restore", "actions/cache/save"}
    assert "always()" in save["if"] and "run_attempt" in save["with"]["key"]
    names = [step["name"] for step in steps]
    assert names.index("Merge") < names.index(save["name"]) < names.index("Gate")


def test_an_agent_of_jenkins_hands_over_nothing_of_an_earlier_night() -> None:
    text = workflows.render("jenkins", Night(words=()))
    cell, report = text.index("djhop run"), text.index('unstash "bundle-')
    assert 0 < text.index('rm -f "reports/$BUNDLE.zip"') < cell
    assert cell < text.index("rm -rf reports/bundles reports/*.zip") < report
    # Groovy's arrays end where they end: of a cell that is not divided there are two words.
    assert "def (" not in text and "words.size() > 2" in text


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_workflow_says_how_to_get_it_again(system: str) -> None:
    plain = workflows.render(system, Night(words=()))
    assert f"djhop ci {system}\n" in plain
    assert "djhop plan --save" in plain
    night = Night(words=(), install="./djhop", timeout=30)
    asked = workflows.render(system, night)
    assert f"djhop ci {system} --install ./djhop --timeout 30\n" in asked


@pytest.mark.parametrize("word", ["${{ secrets.X }}", "a\nb", "a'''b", "a\\b"])
def test_a_word_that_a_ci_would_read_as_its_own_is_refused(word: str) -> None:
    with pytest.raises(UsageError, match="cannot be written into a workflow"):
        workflows.render("github", Night(words=("--matrix", word)))


def ci(system: str = "github", target: str = "", **more: Any) -> int:
    return commands.ci(system, target, **{"write": False, "force": False, **GIVEN, **more})


def test_an_unknown_ci_and_a_target_elsewhere_are_refused() -> None:
    with pytest.raises(UsageError, match="'gihub'") as error:
        ci("gihub")
    assert "did you mean 'github'?" in error.value.hint and "buildkite" in error.value.hint
    for target in ("/srv/shop", "../shop"):
        with pytest.raises(UsageError, match="from the root of its repository"):
            ci(target=target)
    with pytest.raises(UsageError, match="no number of parts"):
        ci(shards=("many",))


def test_a_workflow_that_somebody_changed_is_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path(SYSTEMS["github"].path)
    ci(write=True)
    first = path.read_text()
    ci(write=True)  # the same again is no harm
    path.write_text("changed")
    with pytest.raises(UsageError, match="says something else"):
        ci(write=True)
    assert path.read_text() == "changed"
    ci(write=True, force=True)
    assert path.read_text() == first


# What is typed for one cell, and for the merge


def test_a_bundle_is_of_one_cell() -> None:
    assert merging.chosen({"cell": A.id, "cells": ()})["cells"] == (A.id,)
    with pytest.raises(UsageError, match="--bundle is for one cell"):
        merging.chosen({"cell": None, "cells": (), "bundle": "a.zip"})
    with pytest.raises(UsageError, match="is not a cell"):
        merging.chosen({"cell": "django*", "cells": ()})
    with pytest.raises(UsageError, match="exclude each other"):
        merging.chosen({"cell": A.id, "cells": ("x",)})


def test_the_bundle_of_an_earlier_run_is_gone_before_anything_is_run(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    given = {"bundle": str(path), "list_only": False, "dry_run": False}
    merging.forget(given)
    path.write_bytes(b"last night's")
    merging.forget({**given, "dry_run": True})
    assert path.exists()
    merging.forget(given)
    assert not path.exists()
    path.mkdir()
    with pytest.raises(UsageError, match="--bundle: cannot replace"):
        merging.forget(given)


def merge(*bundles: str, **more: Any) -> int:
    given = {"out": "reports", "plan": "", "target": "", "as_json": False, "quiet": True}
    return merging.merge(bundles, **{**given, **more})


def test_bad_input_to_a_merge_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"there is no bundle x\.zip"):
        merge("x.zip")
    with pytest.raises(UsageError, match="there is no folder elsewhere"):
        merge(target="elsewhere")
    with pytest.raises(UsageError, match=r"cannot read plan\.json"):
        merge(plan="plan.json")
    with pytest.raises(InfraError, match=r"there is no bundle to merge$"):
        merge(str(tmp_path))
    Path("a.zip").write_text("no zip")
    with pytest.raises(
        InfraError, match=r"there is no bundle to merge: .*a\.zip: it cannot be read"
    ):
        merge("a.zip")
    assert not Path("reports").exists()
