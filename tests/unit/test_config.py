"""Matrix files → Matrix: every key, every refusal, and the docs and presets that show them."""

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from djhop import releases
from djhop.errors import UsageError
from djhop.matrix import config
from djhop.matrix.config import CellChoice, Matrix, Override
from djhop.matrix.flaky import Flaky
from djhop.matrix.history import History
from djhop.matrix.ready import Ready
from djhop.matrix.service import Service

REPO = Path(__file__).parents[2]
DOC = (REPO / "docs" / "matrix.md").read_text("utf-8")
PRESETS = sorted(config.presets())


def refusal(table: dict[str, Any]) -> tuple[str, str]:
    with pytest.raises(UsageError) as caught:
        config.parse(table, "m.toml")
    return str(caught.value), caught.value.hint


def test_an_empty_file_is_a_good_one() -> None:
    assert config.parse({}, "m.toml") == Matrix()


def test_every_key() -> None:
    text = """
        name = "ours"
        from = "3.2"
        to = "5.2"
        steps = ["3.2", "4.2", "5.2"]
        python = "3.8"
        goal-python = "3.12"
        pythons = ["3.9", "3.10"]
        include = [{ django = "6.1", python = "3.13" }]
        exclude = ["py3.9-*"]
        allow-failure = ["django6.1"]
        exclude-newer = 2024-07-01
        set-env = { A = "1" }
        timeout = 60
        [[override]]
        cells = "django5.2"
        timeout = 1.5
        allow-failure = false
    """
    assert config.parse(tomllib.loads(text), "m.toml") == Matrix(
        name="ours",
        start="3.2",
        goal="5.2",
        steps=("3.2", "4.2", "5.2"),
        python="3.8",
        goal_python="3.12",
        pythons=("3.9", "3.10"),
        include=(CellChoice(django="6.1", python="3.13"),),
        exclude=("py3.9-*",),
        allow_failure=("django6.1",),
        exclude_newer="2024-07-01",
        set_env={"A": "1"},
        timeout=60.0,
        override=(Override(cells="django5.2", timeout=1.5, allow_failure=False),),
    )


@pytest.mark.parametrize(
    ("table", "message", "hint"),
    [
        ({"form": "4.2"}, "form: unknown key", "did you mean 'from'?"),
        ({"allow_failure": []}, "allow_failure: unknown key", "did you mean 'allow-failure'?"),
        (
            {"from": 4.2},
            "from: expected a text, got a number",
            'versions go in quotes, as in "3.10"',
        ),
        ({"from": "4.3"}, "from: unknown Django series '4.3'", "did you mean "),
        ({"from": "4.2.11"}, "from: unknown Django series '4.2.11'", "did you mean '4.2'?"),
        (
            {"to": "6.2"},
            "to: Django 6.2 is not released; it is planned for 2027-04",
            "the newest released series is 6.1",
        ),
        ({"from": "2028"}, "from: Django 2028 is not released; it is planned for 2028-01", ""),
        ({"steps": ["4.2", "52"]}, "steps[1]: unknown Django series '52'", "did you mean "),
        (
            {"steps": "every-relase"},
            "steps: unknown steps 'every-relase'",
            "did you mean 'every-release'? one of lts, every-release, next, or a list of series",
        ),
        ({"steps": []}, "steps: names no series", 'as in ["4.2", "5.2"]'),
        ({"steps": ""}, "steps: unknown steps ''", "one of lts"),
        ({"python": "3.1"}, "python: unknown Python '3.1'", "did you mean '3.1"),
        ({"python": "3.6.15"}, "python: unknown Python '3.6.15'", "did you mean '3.6'?"),
        ({"python": "2.7"}, "python: unknown Python '2.7'", "did you mean "),
        ({"goal-python": "4.0"}, "goal-python: unknown Python '4.0'", ""),
        (
            {"pythons": ["3.12", "py3.12"]},
            "pythons[1]: unknown Python 'py3.12'",
            "did you mean '3.12'",
        ),
        (
            {"pythons": "3.12"},
            "pythons: expected a list or \"all\", got '3.12'",
            '"all", or a list',
        ),
        (
            {"include": [{"django": "9.9", "python": "3.12"}]},
            "include[0].django: unknown Django series '9.9'",
            "known: ",
        ),
        (
            {"include": [{"django": "5.2", "python": "3.99"}]},
            "include[0].python: unknown Python '3.99'",
            "did you mean '3.9'?",
        ),
        (
            {"include": [{"django": "5.2", "pyton": "3.9"}]},
            "include[0].pyton: unknown key",
            "did you mean 'python'?",
        ),
        ({"timeout": 0}, "timeout: must be more than 0 seconds", ""),
        ({"timeout": float("nan")}, "timeout: must be more than 0 seconds", ""),
        ({"test-timeout": -1}, "test-timeout: must be more than 0 seconds, or 0", ""),
        (
            {"silence-timeout": float("nan")},
            "silence-timeout: must be more than 0 seconds, or 0",
            "",
        ),
        (
            {"override": [{"cells": "*", "test-timeout": -1}]},
            "override[0].test-timeout: must be more than 0 seconds, or 0",
            "",
        ),
        ({"timeout": float("inf")}, "timeout: must be a finite number of seconds", ""),
        (
            {"flaky": {"budget": float("inf")}},
            "flaky.budget: must be a finite number of seconds",
            "",
        ),
        ({"flaky": {"budget": 0}}, "flaky.budget: must be more than 0 seconds", ""),
        (
            {"override": [{"cells": "*", "timeout": -1}]},
            "override[0].timeout: must be more than 0 seconds",
            "",
        ),
        (
            {"override": [{"cells": "*", "timeout": 0}]},
            "override[0].timeout: must be more than 0 seconds",
            "",
        ),
        (
            {"service": {"db": {"start": "db", "ready": "true", "redy-timeout": 1}}},
            "service.db.redy-timeout: unknown key",
            "did you mean 'ready-timeout'?",
        ),
        (
            {"service": {"db": {"start": "db"}}},
            "service.db: lacks the key `ready`",
            "",
        ),
        (
            {"service": {"db": {"start": "db", "ready": "true", "prepare": "x"}}},
            "service.db.prepare: expected a list, got a text",
            "",
        ),
        ({"service": "db"}, "service: expected a table, got a text", ""),
        (
            {"service": {"env": {"A": "1"}, "start": "db", "ready": "true"}},
            "service.start: is not the table of a service",
            "each service is a table",
        ),
        (
            {"service": {"start": "db", "ready": "true"}},
            "service.start: is not the table of a service",
            "each service is a table",
        ),
        (
            {"service": {"a/b": {"start": "db", "ready": "true"}}},
            "service.a/b: 'a/b' cannot be a name",
            "a name is of letters",
        ),
        (
            {"service": {"db": {"start": "db '", "ready": "true"}}},
            "service.db.start: cannot be split into words: No closing quotation",
            "",
        ),
        (
            {"service": {"db": {"start": "db", "ready": []}}},
            "service.db.ready: names no command",
            "",
        ),
        (
            {"service": {"db": {"start": "db", "ready": "true", "prepare": [" "]}}},
            "service.db.prepare[0]: names no command",
            "",
        ),
        (
            {"service": {"db": {"start": "db", "ready": "true", "ready-timeout": 0}}},
            "service.db.ready-timeout: must be more than 0 seconds",
            "",
        ),
        (
            {"pass-env": ["PIP_*", "*"]},
            "pass-env[0]: PIP_* is never passed to a cell",
            "set-env may set it",
        ),
        (
            {"pass-env": ["A", "DJANGO_SETTINGS_MODULE"]},
            "pass-env[1]: DJANGO_SETTINGS_MODULE is never passed to a cell",
            "settings = ",
        ),
        ({"jobs": -1}, "jobs: must be 0 (one for each core) or more", ""),
        ({"exclude-newer": "last week"}, "exclude-newer: 'last week' is not a date", 'as in "20'),
        ({"install-project": "yes"}, "install-project: unknown value 'yes'", "one of auto,"),
        (
            {"from": "5.2", "to": "4.2"},
            "to: Django 4.2 is older than from, 5.2",
            "a path goes from the older series to the newer one",
        ),
    ],
)
def test_refused(table: dict[str, Any], message: str, hint: str) -> None:
    said, next_thing = refusal(table)
    assert said == f"m.toml: {message}"
    assert next_thing.startswith(hint)


def test_from_may_equal_to() -> None:
    assert config.parse({"from": "5.2", "to": "5.2"}, "m").goal == "5.2"


def test_series_are_compared_as_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"version": v, "pythons": ["3.12"]} for v in ("9.2", "10.0", "2028")]
    known = releases.parse({"series": rows, "removed_in": {}})
    assert config.parse({"from": "9.2", "to": "10.0"}, "m", known).goal == "10.0"
    assert config.parse({"from": "10.0", "to": "2028"}, "m", known).goal == "2028"
    with pytest.raises(UsageError, match="older"):
        config.parse({"from": "2028", "to": "10.0"}, "m", known)


def test_later_tables_win_key_by_key() -> None:
    matrix = config.combine(
        ({"from": "3.2", "packages": ["a", "b"], "set-env": {"A": "1", "B": "1"}}, "target"),
        ({"from": "4.2", "to": "5.2", "packages": ["c"], "set-env": {"B": "2"}}, "file"),
        ({"to": "5.1"}, "command line"),
    )
    assert (matrix.start, matrix.goal, matrix.packages) == ("4.2", "5.1", ("c",))
    assert matrix.set_env == {"A": "1", "B": "2"}


def test_services_are_merged_by_name() -> None:
    def table(**starts: str) -> dict[str, Any]:
        return {"service": {name: {"start": s, "ready": "true"} for name, s in starts.items()}}

    merged = config.combine((table(db="old", mail="m"), "a"), ({}, "b"), (table(db="new"), "c"))
    assert {name: s.start for name, s in merged.service.items()} == {"db": "new", "mail": "m"}


def test_no_tables_make_an_empty_matrix() -> None:
    assert config.combine() == Matrix()


def test_combine_leaves_its_tables_alone() -> None:
    table = {"set-env": {"A": "1"}, "from": "4.2"}
    config.combine((table, "a"), ({"set-env": {"A": "2"}, "from": "5.2"}, "b"))
    assert table == {"set-env": {"A": "1"}, "from": "4.2"}


def test_an_error_names_the_table_it_is_in() -> None:
    with pytest.raises(UsageError, match=r"^b\.toml: form: unknown key"):
        config.combine(({"from": "4.2"}, "a.toml"), ({"form": "4.2"}, "b.toml"))


def test_an_error_between_two_tables_names_both() -> None:
    with pytest.raises(UsageError, match=r"^a\.toml \+ command line: to: Django 3\.2 is older"):
        config.combine(({"from": "4.2"}, "a.toml"), ({"to": "3.2"}, "command line"))


def test_a_table_starts_from_a_preset(tmp_path: Path) -> None:
    (tmp_path / "djhop.toml").write_text('matrix = "every-release"\nto = "5.2"\n')
    table = config.of_target(tmp_path)
    assert table is not None
    matrix = config.combine(table, ({"from": "4.2"}, "command line"))
    assert (matrix.steps, matrix.start, matrix.goal) == ("every-release", "4.2", "5.2")


def test_a_table_starts_from_a_file_that_starts_from_another(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('matrix = "sub/b.toml"\nfrom = "3.2"\n')
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.toml").write_text('matrix = "../c.toml"\nfrom = "2.2"\nto = "4.2"\n')
    (tmp_path / "c.toml").write_text('to = "5.2"\njobs = 3\n')
    matrix = config.load(str(tmp_path / "a.toml"))
    assert (matrix.start, matrix.goal, matrix.jobs, matrix.name) == ("3.2", "4.2", 3, "a")


def test_starting_points_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('matrix = "b.toml"\n')
    (tmp_path / "b.toml").write_text('matrix = "a.toml"\n')
    with pytest.raises(UsageError, match="matrix: goes in a circle"):
        config.load(str(tmp_path / "a.toml"))


def test_a_starting_point_that_is_not_there() -> None:
    with pytest.raises(UsageError, match=r"^djhop\.toml: matrix: no matrix 'ltss'") as caught:
        config.combine(({"matrix": "ltss"}, "djhop.toml"))
    assert caught.value.hint.startswith("did you mean 'lts'?")


def test_an_error_in_a_starting_point_names_its_file(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('matrix = "b.toml"\n')
    (tmp_path / "b.toml").write_text("form = 1\n")
    with pytest.raises(UsageError, match=re.escape(f"{tmp_path / 'b.toml'}: form: unknown key")):
        config.load(str(tmp_path / "a.toml"))


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_loads(name: str) -> None:
    matrix = config.load(name)
    assert matrix.name == name
    assert matrix.description.endswith(".")


def test_what_the_presets_say() -> None:
    assert [config.load(name).steps for name in ("lts", "every-release", "next")] == [*config.STEPS]
    demo = config.load("demo")
    assert (demo.target, demo.steps) == ("demo", ("4.2", "5.0", "5.1", "5.2"))
    assert demo.python == ""


@pytest.mark.parametrize("name", PRESETS)
def test_what_a_preset_shows_in_comments_is_valid(name: str) -> None:
    text = config.presets()[name].read_text("utf-8")
    shown = tomllib.loads(re.sub(r"^#(?=[\w\[])", "", text, flags=re.M))
    config.parse(shown, name)


def documented(level: str) -> list[str]:
    return re.findall(rf"^{level} `([^`]+)`$", DOC, re.M)


def keys(struct: type[msgspec.Struct], prefix: str = "") -> list[str]:
    return [prefix + field.encode_name for field in msgspec.structs.fields(struct)]


def test_the_docs_name_every_key_and_no_other() -> None:
    assert sorted(documented("###")) == sorted(keys(Matrix))
    inner = keys(CellChoice, "include.") + keys(Override, "override.") + keys(Service, "service.")
    inner += keys(Flaky, "flaky.") + keys(History, "history.")
    inner += keys(Ready, "ready.")
    assert sorted(documented("####")) == sorted(inner)


EXAMPLES = re.findall(r"^```toml\n(.*?)^```", DOC, re.M | re.S)


@pytest.mark.parametrize("text", EXAMPLES)
def test_an_example_of_the_docs_is_valid(text: str) -> None:
    table = tomllib.loads(text)
    config.parse(table.get("tool", {}).get("djhop", table), "docs/matrix.md")


def test_the_docs_have_examples() -> None:
    assert len(EXAMPLES) >= 10


def test_the_docs_name_every_preset_and_every_way_of_steps() -> None:
    assert all(f"`{name}`" in DOC for name in PRESETS)
    assert all(f'`"{steps}"`' in DOC for steps in config.STEPS)
