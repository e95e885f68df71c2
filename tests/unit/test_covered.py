"""Coverage as Cobertura's XML and as lcov: paths of the target's tree, numbers as in the report."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import coverage
import pytest

from djhop.errors import UsageError
from djhop.reports import covered
from djhop.results import measure

ROOT = "/home/me/shop"
SOURCE = "def f(x):\n    if x:\n        return 1\n    return 2\n\n\nf(1)\n"


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """The sources, in another folder than they were run in."""
    tree = tmp_path / "elsewhere"
    (tree / "app").mkdir(parents=True)
    (tree / "app/a.py").write_text(SOURCE)
    (tree / "app/b.py").write_text("x = 1\ny = 2\n")
    (tree / ".coveragerc").write_text("[report]\nomit = app/skipped.py\n")
    (tree / "app/skipped.py").write_text("x = 1\n")
    return tree


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """What a run measured, under the paths of the machine of the run."""
    file = tmp_path / "coverage"
    lines = {"app/a.py": [1, 2, 3, 7], "app/b.py": [1], "app/skipped.py": [1], "app/gone.py": [1]}
    made = coverage.CoverageData(basename=str(file))
    made.add_lines({f"{ROOT}/{name}": found for name, found in lines.items()})
    made.write()
    made.close()
    return file


def test_cobertura_has_the_targets_paths_and_lines(data: Path, here: Path) -> None:
    text, left_out = covered.render(data, root=ROOT, source=here, form="cobertura")
    assert left_out == 1  # app/gone.py
    found = ET.fromstring(text)
    classes = {node.get("filename"): node for node in found.iter("class")}
    assert set(classes) == {"app/a.py", "app/b.py"}
    hits = {int(n.get("number", 0)): n.get("hits") for n in classes["app/a.py"].iter("line")}
    assert hits == {1: "1", 2: "1", 3: "1", 4: "0", 7: "1"}
    moved = measure.combine({data: Path(ROOT)}, here, here.parent / "moved")
    assert moved is not None
    share = measure.per_cent([moved], here, measure.options(here))
    assert round(100 * float(found.get("line-rate", 0)), 1) == round(share or 0, 1)


def test_lcov_has_the_targets_paths_and_lines(data: Path, here: Path) -> None:
    text, left_out = covered.render(data, root=ROOT, source=here, form="lcov")
    assert left_out == 1
    records = {}
    for record in text.split("end_of_record\n")[:-1]:
        head, *lines = record.splitlines()
        records[head] = [line for line in lines if line.startswith("DA:")]
    assert records == {
        "SF:app/a.py": ["DA:1,1", "DA:2,1", "DA:3,1", "DA:4,0", "DA:7,1"],
        "SF:app/b.py": ["DA:1,1", "DA:2,0"],
    }


def test_the_sources_are_left_alone_and_so_is_the_data(data: Path, here: Path) -> None:
    before = data.read_bytes(), sorted(here.rglob("*"))
    covered.render(data, root=ROOT, source=here, form="lcov")
    assert (data.read_bytes(), sorted(here.rglob("*"))) == before
    assert Path.cwd() != here


def test_what_is_missing_is_named(data: Path, here: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no coverage was measured"):
        covered.render(tmp_path / "none", root=ROOT, source=here, form="lcov")
    with pytest.raises(UsageError, match="no folder"):
        covered.render(data, root=ROOT, source=tmp_path / "none", form="lcov")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="none of the sources") as error:
        covered.render(data, root=ROOT, source=tmp_path / "empty", form="cobertura")
    assert "--source" in error.value.hint
