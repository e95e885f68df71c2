"""Per cent and combined coverage, compared with what coverage's own report says."""

import io
import os
from pathlib import Path

import coverage
import pytest

from djhop.errors import InfraError
from djhop.results import measure, statements

SOURCE = '''"""Docstring."""
import os


def used(a,
         b):
    """Docstring."""
    if a:
        return (
            b
        )
    return os.sep  # pragma: no cover


def unused():
    raise NotImplementedError
'''


def tree_of(tmp_path: Path, **files: str) -> Path:
    tree = tmp_path / "tree"
    for name, text in {"app/__init__.py": "", "app/a.py": SOURCE, **files}.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)
    return tree


def data(path: Path, lines: dict[Path, list[int]]) -> Path:
    found = coverage.CoverageData(basename=str(path))
    found.add_lines({str(file): numbers for file, numbers in lines.items()})
    found.write()
    found.close()
    return path


def coverages_own(file: Path, tree: Path, config: str | bool) -> float:
    before = Path.cwd()
    os.chdir(tree)
    try:
        report = coverage.Coverage(data_file=str(file), config_file=config)
        report.load()
        return round(report.report(file=io.StringIO(), precision=6), 2)
    finally:
        os.chdir(before)


def test_the_union_of_the_passes_is_what_coverage_reports(tmp_path: Path) -> None:
    tree = tree_of(tmp_path)
    file = tree / "app/a.py"
    first = data(tmp_path / "one", {file: [1, 2, 5, 15]})
    second = data(tmp_path / "two", {file: [8, 9, 10]})
    both = data(tmp_path / "both", {file: [1, 2, 5, 15, 8, 9, 10]})
    found = measure.per_cent([first, second], tree, measure.options(tree))
    assert found == coverages_own(both, tree, False)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            ".coveragerc",
            "[run]\nomit =\n    app/skip.py\n[report]\nexclude_lines =\n    def unused\n",
        ),
        ("setup.cfg", "[coverage:report]\nomit = */skip.py\nexclude_also = def unused\n"),
        ("tox.ini", "[coverage:report]\ninclude = app/a.py\n"),
        ("pyproject.toml", "[tool.coverage.report]\nomit = ['app/skip.py']\n"),
    ],
)
def test_the_targets_own_report_settings_hold(tmp_path: Path, name: str, text: str) -> None:
    tree = tree_of(tmp_path, **{"app/skip.py": "a = 1\nb = 2\n", name: text})
    file = data(tmp_path / "d", {tree / "app/a.py": [1, 2, 5, 15], tree / "app/skip.py": [1]})
    found = measure.per_cent([file], tree, measure.options(tree))
    assert found == coverages_own(file, tree, str(tree / name))


def test_what_is_measured_is_what_the_target_says(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, **{".coveragerc": "[run]\nsource = app, other\nomit = app/m/*\n"})
    assert measure.options(tree).measured(str(tree)) == (
        (f"{tree}/app", "other"),
        (f"{tree}/app/m/*",),
    )
    assert measure.Options().measured("/w") == (("/w",), ())


@pytest.mark.parametrize(
    "text",
    [
        "[run\n",
        "[run]\nplugins = not_installed_anywhere\nomit = x\n",
        "[report]\nexclude_lines = (\n",
    ],
)
def test_settings_that_cannot_be_used_do_no_harm(tmp_path: Path, text: str) -> None:
    tree = tree_of(tmp_path, **{".coveragerc": text})
    file = data(tmp_path / "d", {tree / "app/a.py": [1, 2]})
    measure.per_cent([file], tree, measure.options(tree))


def test_sources_and_data_that_cannot_be_read_are_left_out(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, **{"app/broken.py": "def (", "app/latin.py": ""})
    (tree / "app/latin.py").write_bytes(b"# \xff\n")
    lines = {tree / f"app/{name}.py": [1] for name in ("a", "broken", "latin", "gone")}
    good = data(tmp_path / "d", {**lines, tmp_path / "elsewhere.py": [1]})
    bad = tmp_path / "bad"
    bad.write_bytes(b"no sqlite")
    alone = data(tmp_path / "e", {tree / "app/a.py": [1]})
    wanted = measure.options(tree)
    assert measure.per_cent([good, bad, tmp_path / "none"], tree, wanted) == measure.per_cent(
        [alone], tree, wanted
    )
    assert measure.per_cent([bad], tree, wanted) is None


def test_cells_are_combined_under_the_targets_own_paths(tmp_path: Path) -> None:
    one = data(tmp_path / "one", {Path("/w/1/tree/app/a.py"): [1, 2]})
    two = data(tmp_path / "two", {Path("/w/2/tree/app/a.py"): [2, 3]})
    arcs = coverage.CoverageData(basename=str(tmp_path / "arcs"))
    arcs.add_arcs({"/w/3/tree/app/a.py": [(1, 2)]})
    arcs.write()
    arcs.close()
    trees = {one: Path("/w/1/tree"), two: Path("/w/2/tree"), tmp_path / "arcs": Path("/w/3/tree")}
    out = measure.combine(trees, Path("/home/target"), tmp_path / "all")
    assert out is not None
    found = coverage.CoverageData(basename=str(out))
    found.read()
    lines = {name: sorted(found.lines(name) or ()) for name in found.measured_files()}
    found.close()
    assert lines == {"/home/target/app/a.py": [1, 2, 3]}


def test_nothing_to_combine_is_no_file(tmp_path: Path) -> None:
    assert measure.combine({tmp_path / "none": tmp_path}, tmp_path, tmp_path / "all") is None


def test_a_place_that_cannot_be_written_is_infrastructure(tmp_path: Path) -> None:
    one = data(tmp_path / "one", {Path("/w/a.py"): [1]})
    with pytest.raises(InfraError):
        measure.combine({one: Path("/w")}, Path("/t"), one / "under-a-file")


def test_a_source_is_parsed_once_for_all_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = tree_of(tmp_path, **{"app/b.py": "x = 1\n"})
    kept, file = tmp_path / "cache" / "statements", str(tree / "app/a.py")
    statements.recall(kept)
    wanted = statements.of(file, ()), statements.of(file, ("return",))
    statements.keep(kept)
    monkeypatch.setattr(statements, "_known", {})
    monkeypatch.setattr(statements, "_parse", lambda name, _: frozenset({len(name)}))
    statements.recall(kept)
    assert (statements.of(file, ()), statements.of(file, ("return",))) == wanted
    assert wanted[0] > wanted[1] > set()
    other = str(tree / "app/b.py")
    assert statements.of(other, ()) == {len(other)}  # what nobody has kept is parsed
    (tree / "app/a.py").write_text("y = 2\n")
    assert statements.of(file, ()) == {len(file)}  # and so is what has changed
    statements.keep(kept)
    statements.recall(kept)
    statements.keep(kept)
    monkeypatch.setattr(statements, "_known", {})
    statements.recall(kept)
    assert statements._known == {}  # what no run asks for is forgotten


@pytest.mark.parametrize("text", [b"", b"no msgpack", b"\x93\x01\x02\x03"])
def test_a_damaged_file_of_statements_is_passed_over(tmp_path: Path, text: bytes) -> None:
    kept = tmp_path / "statements"
    kept.write_bytes(text)
    statements.recall(kept)
    assert statements.of(str(tree_of(tmp_path) / "app/a.py"), ())
