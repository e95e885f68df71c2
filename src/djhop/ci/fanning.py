"""The jobs of a plan, one for each cell or part of one, as CI systems read them; pure."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from typing import Any

import msgspec

from djhop.bundles.planned import Planned
from djhop.ci.workflows import SYSTEMS
from djhop.errors import UsageError

#: Jobs of one matrix that GitHub takes.
#: https://docs.github.com/actions/reference/limits
GITHUB = 256


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One job: a cell, or a part of its suite."""

    #: For people: "py3.12-django5.2 2/5".
    name: str
    cell: str
    #: "2/5", or "" for all of it.
    shard: str
    #: What its bundle is called, without ".zip".
    bundle: str


def jobs(planned: Planned) -> tuple[Job, ...]:
    """The jobs of a plan, in its order."""
    found = []
    for cell in planned.run.plan.cells:
        for shard in planned.parts(cell.id):
            name = f"{cell.id} {shard}" if shard else cell.id
            part = f"-{shard.number}-of-{shard.of}" if shard else ""
            text = str(shard) if shard else ""
            found.append(Job(name=name, cell=cell.id, shard=text, bundle=f"{cell.id}{part}"))
    return tuple(found)


def github(planned: Planned, _words: str, _target: str) -> str:
    """A matrix for `fromJSON`, in one line.

    Raises:
        UsageError: GitHub takes no matrix of that many jobs.
    """
    found = jobs(planned)
    if len(found) > GITHUB:
        raise UsageError(
            f"{len(found)} jobs, and GitHub takes {GITHUB} of one matrix", hint="fewer --shards"
        )
    return json.dumps({"include": msgspec.to_builtins(found)}, separators=(",", ":"))


def gitlab(planned: Planned, _words: str, _target: str) -> str:
    """A child pipeline: YAML that is JSON. What its jobs do is in the file that it includes."""
    made: dict[str, Any] = {"include": [{"local": SYSTEMS["gitlab"].path}]}
    for job in jobs(planned):
        variables = {"CELL": job.cell, "SHARD": job.shard, "BUNDLE": job.bundle}
        made[job.name] = {"extends": ".djhop-cell", "variables": variables}
    return json.dumps(made, indent=2)


def buildkite(planned: Planned, words: str, target: str) -> str:
    """The steps of the cells, and the one that merges."""
    steps: list[dict[str, Any]] = []
    get = 'buildkite-agent artifact download "reports/{}" .'
    for job in jobs(planned):
        bundle = f"reports/{job.bundle}.zip"
        shard = f" --shard {job.shard}" if job.shard else ""
        run = f"djhop run {words}".strip() + f" --plan reports/plan.json --cell {job.cell}{shard}"
        steps.append(
            {
                "label": f"djhop: {job.name}",
                # Keys know letters, digits, dashes, underscores and colons.
                "key": f"djhop-{job.bundle}".replace(".", "_"),
                "command": [
                    get.format("plan.json"),
                    f"{run} --bundle {bundle} || test -s {bundle}",
                ],
                "artifact_paths": [bundle],
            }
        )
    merge = [
        get.format("plan.json"),
        "mkdir -p reports/bundles",
        f"{get.format('*.zip')} && mv reports/*.zip reports/bundles/ || true",
        f"djhop merge reports/bundles --plan reports/plan.json --target {shlex.quote(target)}",
    ]
    last = {
        "label": "djhop: report",
        "command": merge,
        "artifact_paths": ["reports/*/report.*", "reports/*/run.json", "reports/*/junit.xml"],
        "depends_on": [{"step": step["key"], "allow_failure": True} for step in steps],
    }
    return json.dumps({"steps": [*steps, last]}, indent=2)


def lines(planned: Planned, _words: str, _target: str) -> str:
    """A line for each job: bundle, cell and part, with tabs between."""
    return "\n".join(f"{job.bundle}\t{job.cell}\t{job.shard}" for job in jobs(planned))


#: `djhop plan --format`: (plan, what followed `djhop plan`, the target) → text.
FORMS: dict[str, Callable[[Planned, str, str], str]] = {
    "github-matrix": github,
    "gitlab": gitlab,
    "buildkite": buildkite,
    "lines": lines,
}
