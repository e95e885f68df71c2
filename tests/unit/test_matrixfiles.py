"""Finding matrix files: presets, paths, and what the target itself says."""

from pathlib import Path

import pytest

from djhop.errors import UsageError
from djhop.matrix import matrixfiles


def test_the_presets() -> None:
    assert set(matrixfiles.shipped()) == {"lts", "every-release", "next", "demo", "supported"}
    assert all(path.is_file() for path in matrixfiles.shipped().values())


def test_a_preset_by_name() -> None:
    table, where = matrixfiles.read("demo")
    assert (table["name"], table["target"], where) == ("demo", "demo", "matrices/demo.toml")


def test_a_preset_wins_over_a_file_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lts").write_text('steps = "next"')
    assert matrixfiles.read("lts")[0]["steps"] == "lts"
    assert matrixfiles.read("./lts")[0]["steps"] == "next"


def test_a_file_is_named_and_its_paths_are_relative_to_it(tmp_path: Path) -> None:
    path = tmp_path / "ours.toml"
    path.write_text('target = "../shop"\nmatrix = "base.toml"\n')
    table, where = matrixfiles.read(str(path))
    assert where == str(path)
    assert table == {
        "name": "ours",
        "target": str(tmp_path.parent / "shop"),
        "matrix": str(tmp_path / "base.toml"),
    }


def test_a_file_may_name_itself_and_start_from_a_preset(tmp_path: Path) -> None:
    (tmp_path / "ours.toml").write_text('name = "nightly"\nmatrix = "lts"\n')
    table, _ = matrixfiles.read(str(tmp_path / "ours.toml"))
    assert table == {"name": "nightly", "matrix": "lts"}


@pytest.mark.parametrize(
    ("wanted", "hint"),
    [
        ("ltss", "did you mean 'lts'? presets: "),
        ("every", "did you mean 'every-release'? presets: "),
        ("zzz", "presets: demo, every-release, lts, next, supported; or the path of a TOML file"),
    ],
)
def test_no_such_preset(wanted: str, hint: str) -> None:
    with pytest.raises(UsageError, match=f"no matrix '{wanted}'") as caught:
        matrixfiles.read(wanted)
    assert caught.value.hint.startswith(hint)


def test_no_such_file(tmp_path: Path) -> None:
    (tmp_path / "nightly.toml").touch()
    with pytest.raises(UsageError) as caught:
        matrixfiles.read(str(tmp_path / "nightyl.toml"))
    assert caught.value.hint.startswith(f"did you mean '{tmp_path}/nightly.toml'? presets: ")
    with pytest.raises(UsageError, match="there is no such file"):
        matrixfiles.read(str(tmp_path))
    with pytest.raises(UsageError, match="there is no such file"):
        matrixfiles.read(str(tmp_path / "no" / "such.toml"))


def test_the_target_says_nothing(tmp_path: Path) -> None:
    assert matrixfiles.of_target(tmp_path) is None
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'shop'\n")
    assert matrixfiles.of_target(tmp_path) is None


def test_the_target_says_it_in_pyproject(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.djhop]\nfrom = "3.2"\nmatrix = "m/x.toml"\n')
    found = matrixfiles.of_target(tmp_path)
    assert found == (
        {"from": "3.2", "matrix": str(tmp_path / "m" / "x.toml")},
        f"{tmp_path / 'pyproject.toml'} [tool.djhop]",
    )


def test_the_file_of_its_own_comes_first(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.djhop]\nfrom = "3.2"\n')
    (tmp_path / "djhop.toml").write_text('from = "4.2"\n')
    assert matrixfiles.of_target(tmp_path) == ({"from": "4.2"}, str(tmp_path / "djhop.toml"))


def test_an_empty_table_of_the_target_is_a_table(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.djhop]\n")
    found = matrixfiles.of_target(tmp_path)
    assert found is not None
    assert found[0] == {}


def test_a_broken_file_of_the_target(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool]\ndjhop = 3\n")
    with pytest.raises(UsageError, match=r"pyproject\.toml: tool\.djhop: expected a table"):
        matrixfiles.of_target(tmp_path)
    (tmp_path / "pyproject.toml").write_text("\n[tool\n")
    with pytest.raises(UsageError, match=r"pyproject\.toml:2: not TOML"):
        matrixfiles.of_target(tmp_path)
