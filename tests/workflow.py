"""Carries out the jobs of a GitHub workflow here: each in a clean folder, as on its own machine.

What `run` says is run by bash as GitHub does it; of the actions only what they move is done.
"""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from djhop_cli import SRC
from ruamel.yaml import YAML


@dataclasses.dataclass
class Machine:
    """A clean folder, and what its job left."""

    root: Path
    env: dict[str, str]
    artifacts: Path
    #: "steps.plan.outputs.matrix" → what stands there.
    known: dict[str, str]
    said: str = ""
    failed: list[str] = dataclasses.field(default_factory=list)

    def job(self, job: Mapping[str, Any], repository: Path) -> Machine:
        """Carry a job out to its end."""
        self.env |= {name: self._filled(value) for name, value in (job.get("env") or {}).items()}
        for step in job["steps"]:
            condition = str(step.get("if", ""))
            if "event_name == 'pull_request'" in condition:
                continue
            if self.failed and "always()" not in condition:
                continue
            if "uses" in step:
                self._action(step["uses"].partition("@")[0], step.get("with") or {}, repository)
            elif "pip install" not in step["run"]:
                self._run(step)
        return self

    def _filled(self, text: Any) -> str:
        return re.sub(r"\$\{\{ (.+?) \}\}", lambda found: self.known[found[1]], str(text))

    def _run(self, step: Mapping[str, Any]) -> None:
        assert "${{" not in step["run"], "what a run says is never filled in: it would be code"
        output = self.root.with_name(f"{self.root.name}-output")
        output.write_text("")
        own = {name: self._filled(value) for name, value in (step.get("env") or {}).items()}
        places = {"GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": f"{self.root}-summary.md"}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=self.root,
            env=self.env | own | places,
            capture_output=True,
            text=True,
            check=False,
            timeout=900,
        )
        self.said += done.stdout + done.stderr
        if done.returncode:
            self.failed.append(f"{step['name']}: {done.returncode}")
        for line in output.read_text().splitlines():
            name, _, value = line.partition("=")
            self.known[f"steps.{step.get('id')}.outputs.{name}"] = value

    def _action(self, name: str, given: Mapping[str, Any], repository: Path) -> None:
        match name:
            case "actions/checkout":
                subprocess.run(["git", "clone", "-q", str(repository), str(self.root)], check=True)
            case "actions/upload-artifact":
                self._upload(self._filled(given["name"]), given)
            case "actions/download-artifact":
                pattern = given.get("name") or given["pattern"]
                for found in sorted(self.artifacts.glob(pattern)):
                    shutil.copytree(found, self.root / given["path"], dirs_exist_ok=True)
            case "actions/setup-python" | "actions/cache" | "actions/cache/restore":
                pass
            case "actions/cache/restore" | "actions/cache/save":
                pass
            case _:
                raise AssertionError(f"nobody here knows {name}")

    def _upload(self, name: str, given: Mapping[str, Any]) -> None:
        found = [p for line in given["path"].split() for p in sorted(self.root.glob(line))]
        assert found or given.get("if-no-files-found") != "error", f"{name}: there is nothing"
        shutil.rmtree(self.artifacts / name, ignore_errors=True)  # overwrite: true
        for path in found:
            # As the action does: from the folder that all patterns have in common.
            copy = shutil.copytree if path.is_dir() else shutil.copy
            (self.artifacts / name).mkdir(parents=True, exist_ok=True)
            copy(path, self.artifacts / name / path.name)


def read(path: Path) -> dict[str, Any]:
    """Read a workflow."""
    return dict(YAML(typ="safe").load(path))


def environ(folder: Path, cache: Path) -> dict[str, str]:
    """The environment of a machine on which djhop is installed."""
    bin_ = folder / "bin"
    bin_.mkdir(exist_ok=True)
    script = bin_ / "djhop"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m djhop "$@"\n')
    script.chmod(0o755)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "COV_", "GITHUB"))}
    path = f"{bin_}{os.pathsep}{kept['PATH']}"
    return kept | {"PATH": path, "PYTHONPATH": str(SRC), "DJHOP_CACHE": str(cache), "CI": "true"}
