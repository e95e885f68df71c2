"""`djhop plan` and `djhop deps`: what would be run, and what has to move."""

from __future__ import annotations

import os
import sys
from typing import Any

import msgspec

from djhop import locate, releases, terminal
from djhop.commands.setting_up import interruptible, set_up
from djhop.errors import ExitCode, UsageError
from djhop.processes.process import Spawner
from djhop.target import target


def plan(**given: Any) -> int:
    """`djhop plan`: the plan in words, or as JSON."""
    from djhop.reports import planned

    form = given["form"]
    if given["as_json"] and form not in ("text", "json"):
        raise UsageError("--json and --format exclude each other")
    asked = given["save"] or given["shards"] or form not in ("text", "json")
    if asked and given["cells"]:
        raise UsageError(
            "a plan for many machines is one of the whole matrix", hint="without --cells"
        )
    setup = set_up({**given, "command": "plan"}, Spawner())
    if asked:
        from djhop.commands import workflows

        if text := workflows.fanned(setup, "" if form in ("text", "json") else form, given):
            terminal.show(text)
            return ExitCode.OK
    facts = (setup.target, setup.plan, setup.found, releases.load())
    if given["as_json"] or form == "json":
        terminal.show(planned.as_json(*facts))
    else:
        terminal.show(planned.text(*facts, width=terminal.width()))
    return ExitCode.OK


def deps(emit: str | None, **given: Any) -> int:
    """`djhop deps`: what has to move on each hop, in words, as JSON or as commands."""
    from djhop import console
    from djhop.deps import answers, keeping, looking
    from djhop.deps import emit as emitting
    from djhop.environments.environments import uv_environ
    from djhop.reports import clean
    from djhop.reports import deps as deps_report

    if emit and given["as_json"]:
        raise UsageError("--emit and --json exclude each other", hint="djhop deps --json")
    quiet = given["quiet"] or given["as_json"]
    spawner = Spawner(registry=locate.cache() / "running")
    setup = set_up({**given, "command": "deps", "cells": ()}, spawner)
    site = keeping.Site(
        spawner=spawner,
        uv=locate.uv(),
        uv_version=locate.uv_version(),
        env=uv_environ(os.environ),
        cache=locate.cache(),
        jobs=setup.matrix.jobs or os.cpu_count() or 1,
        offline=given["offline"],
        fresh=given["fresh"],
        say=lambda line: None if quiet else console.said(line, sys.stderr),
    )
    with interruptible(spawner):
        answer = looking.look(
            setup.whole,
            target=setup.target,
            matrix=setup.matrix,
            found=setup.found,
            releases=releases.load(),
            site=site,
        )
    if emit:
        terminal.show(clean.page(emitting.text(answer, msgspec.convert(emit, target.Manager))))
    elif given["as_json"]:
        terminal.show(deps_report.as_json(answer))
    else:
        color, width = terminal.color(), terminal.width()
        terminal.show(deps_report.text(answer, color=color, width=width))
    return answers.exit_code(answer)
