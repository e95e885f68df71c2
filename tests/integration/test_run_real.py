"""Whether `djhop run` says of real projects what plain tools say beside it, in the same cells.

djhop runs a project of PyPI along its path. Then its suite is run plainly and strictly by its own
runner, with no part of djhop in the process, in the environments that djhop made; and both are held
against facts.toml, which was measured in environments of its own.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import djhop_cli
import oracle
import pytest
from djhop_cli import Done
from oracle import Mode, Seen

HERE = Path(__file__).parent
FACTS: dict[str, dict[str, Any]] = tomllib.loads((HERE / "facts.toml").read_text())

#: What deprecations foretold of the path, looked up by hand in the release notes: uses that broke,
#: that did not, that a dead run hides, and causes without a warning (guardian reads `_headers`).
FORETOLD = {
    "django-taggit": (3, 0, 4, 0),
    "django-guardian": (0, 2, 0, 1),
    "django-cors-headers": (5, 0, 0, 0),
    "djangorestframework": (0, 0, 0, 2),
}
#: Per project, the Pythons of its path, and the verdict of each hop, in order.
PROJECTS = {
    # 3.2 warns of what the URLconf uses and 4.0 removes: from there on not one test runs.
    "django-taggit": (("3.8", "3.10"), ("deprecated", "breaks", "unknown", "unknown")),
    # From 3.2 on one test fails, always for the same reason; on 4.2 strict dies in settings.
    "django-guardian": (("3.8", "3.10"), ("breaks", "deprecated", "clean", "clean")),
    "django-cors-headers": (("3.8",), ("deprecated", "breaks")),
    "djangorestframework": (("3.10",), ("breaks",)),
}
SLOW = {"djangorestframework", "django-guardian"}
MODES: tuple[Mode, ...] = ("plain", "strict")


def _params() -> list[Any]:
    slow = pytest.mark.slow
    return [
        pytest.param(
            name, marks=[pytest.mark.needs_python(*pythons), *([slow] if name in SLOW else [])]
        )
        for name, (pythons, _) in PROJECTS.items()
    ]


@pytest.mark.parametrize("name", _params())
def test_djhop_and_plain_tools_agree(
    name: str, sdist: Callable[[str, str], Path], shared: Path, tmp_path: Path
) -> None:
    facts = FACTS[name]
    source = sdist(name, facts["version"])
    matrix = HERE / facts["matrix"]
    done = djhop_cli.run(source, matrix, cache=shared / "djhop", out=tmp_path / "reports")
    assert [cell["id"] for cell in done.run["cells"]] == list(facts["cells"])

    wrong: list[str] = []
    plain: dict[str, Seen] = {}
    for cell in facts["cells"]:
        seen = {
            mode: _plain_tools(done.python(cell), source, matrix, mode, tmp_path) for mode in MODES
        }
        plain[cell] = seen["plain"]
        wrong += _facts(cell, facts["cells"][cell], seen["plain"], seen["strict"])
        wrong += _plainly(cell, done, seen["plain"])
        wrong += _strictly(cell, done, seen["strict"], seen["plain"])
    wrong += [line for ends in pairwise(plain) for line in _hop(done, plain, *ends)]
    assert wrong == []
    assert tuple(hop["verdict"] for hop in done.run["hops"]) == PROJECTS[name][1]
    assert done.returncode == 1, done.said
    counts = ("broke", "did_not_break", "not_seen", "without_warning")
    told = tuple(done.run["foretold"][count] for count in counts)
    assert told == FORETOLD.get(name, told)


def _plain_tools(python: Path, source: Path, matrix: Path, mode: Mode, room: Path) -> Seen:
    """Run the suite as the matrix says, in a fresh copy."""
    settings = tomllib.loads(matrix.read_text())
    return oracle.run(
        python,
        oracle.copy(source, room / "workspace"),
        settings["test"],
        mode=mode,
        settings=settings.get("settings", ""),
        pythonpath=settings.get("pythonpath", ()),
    )


def _facts(cell: str, stated: Mapping[str, Any], plain: Seen, strict: Seen) -> list[str]:
    """Where plain tools do not say what they said when the facts were measured."""
    wrong = [
        f"{cell} {mode}: facts {stated[mode]}, plain tools {seen.counts}"
        for mode, seen in (("plain", plain), ("strict", strict))
        if seen.counts != stated[mode]
    ]
    bad, strictly = _bad(plain), _bad(strict) - _bad(plain)
    for key, found in (("bad", bad), ("strictly_bad", strictly)):
        if key in stated and set(stated[key]) != found:
            wrong.append(f"{cell} {key}: {sorted(found ^ set(stated[key]))}")
    return wrong


def _bad(seen: Seen) -> set[str]:
    failed = {test for test, outcome in seen.outcomes.items() if outcome in ("failed", "error")}
    return failed | {*seen.broken}


def _plainly(cell: str, done: Done, seen: Seen) -> list[str]:
    """What djhop says of the plain outcomes, where plain tools say something else."""
    told = seen.outcomes | dict.fromkeys(seen.broken, "error")
    found = {name: test["plain"] for name, test in done.tests(cell).items() if test.get("plain")}
    wrong = _differ(f"{cell} plain", told, found)
    if done.counts(cell, "plain") != dict(Counter(told.values())):
        wrong.append(f"{cell} plain: plain tools {seen.counts}, djhop {done.counts(cell, 'plain')}")
    return wrong


def _strictly(cell: str, done: Done, seen: Seen, plain: Seen) -> list[str]:
    """The same strictly.

    Where plain tools lose modules, or the whole run, djhop has further outcomes, from its scoped
    run: of what is there plainly, and of nothing else.
    """
    told = seen.outcomes | dict.fromkeys(seen.broken.keys() & plain.broken.keys(), "error")
    found = {name: test["strict"] for name, test in done.tests(cell).items() if test.get("strict")}
    unknown = found.keys() - told.keys() - plain.outcomes.keys() - plain.broken.keys()
    wrong = [f"{cell} strict: {name} is in no plain run" for name in sorted(unknown)]
    if seen.broken or not seen.outcomes:
        found = {name: outcome for name, outcome in found.items() if name in told}
    elif done.counts(cell, "strict") != dict(Counter(told.values())):
        wrong.append(f"{cell} strict: plain {seen.counts}, djhop {done.counts(cell, 'strict')}")
    return wrong + _differ(f"{cell} strict", told, found)


def _hop(done: Done, plain: Mapping[str, Seen], before: str, after: str) -> list[str]:
    """What djhop says that a hop did to the tests that passed, where plain tools differ."""
    old, new = plain[before].outcomes, plain[after].outcomes
    passed = [test for test, outcome in old.items() if outcome == "passed"]
    hop, told = done.hop(before, after), {
        "broke": {test for test in passed if new.get(test) in ("failed", "error")},
        "vanished": {test for test in passed if test not in new},
        "newly_skipped": {test for test in passed if new.get(test) in ("skipped", "xfailed")},
        "fixed": {t for t, o in old.items() if o in ("failed", "error") and new.get(t) == "passed"},
    }  # fmt: skip
    return [
        f"{before}..{after} {change}: plain tools {len(tests)}, djhop {len(hop[change])}"
        for change, tests in told.items()
        if tests != set(hop[change])
    ]


def _differ(where: str, told: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    return [
        f"{where} {test}: plain tools {told.get(test)}, djhop {found.get(test)}"
        for test in sorted({*told, *found})
        if told.get(test) != found.get(test)
    ]
