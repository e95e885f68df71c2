"""What is run, and in which environment: argv and variables with `==`."""

import itertools
import json
import os
import shlex
from pathlib import Path

import msgspec
import pytest

from djhop.matrix.variables import NEVER
from djhop.suites import addopts, foreign, suites
from djhop.suites.suites import PassFiles, Room, Stand
from djhop.target.target import Suite

ROOM = Room(
    cell="py3.12-django5.2",
    python="3.12",
    workspace="/w/tree",
    home="/w/home",
    tmp="/w/tmp",
    environment="/envs/k",
    probe="/djhop/probe",
    import_roots=("src", "."),
)
FILES = PassFiles.in_folder("/run/cells/c", "strict")
STAND = Stand(
    room=ROOM,
    django="5.2",
    interpreter="/envs/k/bin/python",
    env={"HOME": "/w/home"},
    timeout=60.0,
    source=("/w/tree",),
)
PYTEST = Suite(kind="pytest", argv=("tests", "-q"))
DJANGO = Suite(kind="django", argv=("manage.py", "test", "--parallel"))
#: What every pytest pass ends with, whatever the target says.
ALWAYS = (
    "--continue-on-collection-errors",
    "--maxfail=0",
    "--color=no",
    "--cache-clear",
    "--junitxml=/run/cells/c/junit-strict.xml",
    "-o",
    "junit_logging=no",
)


def argv(suite: Suite, stand: Stand = STAND, mode: str = "plain", *args: str) -> tuple[str, ...]:
    kind = msgspec.convert(mode, suites.Mode)
    _, config = suites.pass_command(suite, stand, mode=kind, files=FILES, args=args)
    return config.argv


def with_(**changes: object) -> Stand:
    return msgspec.structs.replace(STAND, **changes)


def test_a_further_process_of_a_pass_has_files_of_its_own_beside_one_log() -> None:
    files = PassFiles.in_folder("/c", "strict", 2)
    command, config = suites.pass_command(
        PYTEST, STAND, mode="strict", files=files, done=("test_a.py::test_x",)
    )
    assert config.done == ("test_a.py::test_x",)
    assert (command.log, config.events) == ("/c/log-strict.txt", "/c/events-strict.jsonl")
    assert command.env["DJHOP_PROBE"] == "/c/probe-strict-2.json"
    assert config.stacks == "/c/stacks-strict-2.txt"
    assert "--junitxml=/c/junit-strict-2.xml" in config.argv


def test_the_command_of_a_pass() -> None:
    command, config = suites.pass_command(
        PYTEST, with_(working_directory="sub"), mode="strict", files=FILES
    )
    assert command.argv == ("/envs/k/bin/python", "-m", "djhop_probe")
    assert command.cwd == "/w/tree/sub"
    assert command.env == {"HOME": "/w/home", "DJHOP_PROBE": "/run/cells/c/probe-strict.json"}
    assert (command.timeout, command.log) == (60.0, "/run/cells/c/log-strict.txt")
    assert json.loads(msgspec.json.encode(config)) == {
        "events": "/run/cells/c/events-strict.jsonl",
        "mode": "strict",
        "framework": "pytest",
        "argv": ["tests", "-q", "-p", "warnings", "-W", "error::DeprecationWarning", *ALWAYS],
        "root": "/w/tree",
        "expect_django": "5.2",
        "literal": False,
        "overlay": [],
        "tools": [],
        "coverage": {
            "data_file": "/run/cells/c/coverage-strict",
            "source": ["/w/tree"],
            "omit": [],
            "branch": False,
        },
        "cell": "py3.12-django5.2",
        "isolate": True,
        "secrets": {},
        "stacks": "/run/cells/c/stacks-strict.txt",
        "dump": suites.DUMP,
        "done": [],
        "shard": None,
        "taken": None,
    }
    assert command.dump == suites.DUMP


@pytest.mark.parametrize("mode", ["plain", "scoped"])
def test_only_a_strict_pass_has_the_filter(mode: str) -> None:
    assert argv(PYTEST, STAND, mode) == ("tests", "-q", *ALWAYS)


def test_literal_is_pythons_own_filter_and_for_the_strict_pass_only() -> None:
    stand = with_(literal=True)
    command, config = suites.pass_command(DJANGO, stand, mode="strict", files=FILES)
    assert command.argv[1:] == ("-W", "error::DeprecationWarning", "-m", "djhop_probe")
    assert config.literal
    for mode in ("plain", "scoped"):
        kind = msgspec.convert(mode, suites.Mode)
        command, config = suites.pass_command(DJANGO, stand, mode=kind, files=FILES)
        assert command.argv[1:] == ("-m", "djhop_probe")
        assert not config.literal
    for suite in (PYTEST, DJANGO):
        assert "strict is literal: python -W error::DeprecationWarning, for the whole process" in (
            suites.neutralised(suite, stand)
        )
        assert not [note for note in suites.neutralised(suite, STAND) if "literal" in note]


def test_a_command_is_run_as_it_is() -> None:
    suite = Suite(kind="command", argv=("make", "test"), junit="out/*.xml")
    stand = with_(working_directory="sub", env={"A": "1", "PYTHONWARNINGS": "ignore"})
    command = foreign.pass_command(suite, stand, mode="strict", files=FILES, args=("-j2",))
    assert (command.argv, command.cwd) == (("make", "test", "-j2"), "/w/tree/sub")
    assert command.env == {"A": "1", "PYTHONWARNINGS": "error::DeprecationWarning"}
    assert (command.timeout, command.log) == (60.0, "/run/cells/c/log-strict.txt")
    plain = foreign.pass_command(suite, stand, mode="plain", files=FILES)
    assert plain.env == stand.env
    (note,) = suites.neutralised(suite, stand)
    assert note.startswith("of the command `make test` only out/*.xml is read: coverage")
    assert suites.packages(suite) == ()


def test_the_users_arguments_come_before_djhops() -> None:
    assert argv(PYTEST, STAND, "plain", "-k", "x")[:4] == ("tests", "-q", "-k", "x")


def test_addopts_without_harm_stay_where_they_are() -> None:
    stand = with_(addopts=("--ds=settings", "-ra", "-n2"))
    assert argv(PYTEST, stand) == ("tests", "-q", *ALWAYS)
    assert suites.neutralised(PYTEST, stand) == ()


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        (("-x", "-ra"), "-ra"),
        (("--maxfail=1", "-ra"), "-ra"),
        (("--maxfail", "1", "-ra"), "-ra"),
        (("--sw", "--lf", "--ff", "--nf", "--stepwise-skip"), ""),
        (("-p", "no:warnings", "-p", "no:cacheprovider"), "-p no:cacheprovider"),
        (("-pno:warnings", "-pno:junitxml"), ""),
        (("--pdb", "-m", "not slow"), "-m 'not slow'"),
    ],
)
def test_addopts_that_would_falsify_the_matrix_are_replaced(
    words: tuple[str, ...], kept: str
) -> None:
    stand = with_(addopts=words)
    found = argv(PYTEST, stand)
    assert found[2:4] == ("-o", f"addopts={kept}")
    notes = suites.neutralised(PYTEST, stand)
    dropped, _ = addopts.cleaned(words)
    assert notes and all(note.startswith("addopts: ") for note in notes)
    assert shlex.join(dropped) == kept


def test_what_the_suite_or_the_user_says_is_cleaned_too() -> None:
    suite = msgspec.structs.replace(PYTEST, argv=("tests", "-x"))
    assert argv(suite, STAND, "plain", "--lf", "-p", "no:warnings")[:2] == ("tests", ALWAYS[0])
    assert len(suites.neutralised(suite, STAND, ("--lf", "-p", "no:warnings"))) == 3


@pytest.mark.parametrize("package", ["pytest-cov", "pytest-randomly"])
@pytest.mark.parametrize("block", [None, "addopts", "args"])
def test_options_of_plugins_only_where_they_are_loaded(package: str, block: str | None) -> None:
    name = package.replace("-", "_")
    option = {"pytest-cov": "--no-cov", "pytest-randomly": "--randomly-seed=1"}[package]
    words = ("-p", f"no:{name}")
    stand = with_(packages=frozenset({package}), addopts=words if block == "addopts" else ())
    found = argv(PYTEST, stand, "plain", *(words if block == "args" else ()))
    assert (option in found) == (block is None)
    assert option not in argv(PYTEST, STAND)


def test_an_option_of_a_plugin_that_is_switched_off_would_be_an_error() -> None:
    assert "--cache-clear" not in argv(PYTEST, STAND, "plain", "-p", "no:cacheprovider")


@pytest.mark.parametrize("place", ["addopts", "suite", "user"])
def test_a_reused_database_is_made_anew_in_each_cell(place: str) -> None:
    stand = with_(addopts=("--reuse-db",)) if place == "addopts" else STAND
    suite = Suite(kind="pytest", argv=("--reuse-db",) if place == "suite" else ())
    args = ("--reuse-db",) if place == "user" else ()
    assert "--create-db" in argv(suite, stand, "strict", *args)
    note = "--create-db is added to --reuse-db: each cell makes its own database"
    assert note in suites.neutralised(suite, stand, args)
    # Without pytest-django it would be an unknown option.
    assert "--create-db" not in argv(PYTEST)


def test_a_database_is_not_kept_for_the_next_cell() -> None:
    suite = Suite(kind="django", argv=("manage.py", "test", "--keepdb"))
    assert argv(suite) == ("manage.py", "test", "--noinput")
    assert suites.neutralised(suite, STAND) == (
        "--keepdb is left out: each cell makes its own database",
    )


def test_a_targets_own_coverage_is_noted() -> None:
    stand = with_(packages=frozenset({"pytest-cov"}), addopts=("--cov=app",))
    assert suites.neutralised(PYTEST, stand) == (
        "--no-cov is added: djhop measures coverage itself",
    )


@pytest.mark.parametrize(
    ("suite", "args", "expected"),
    [
        (("manage.py", "test"), (), ("manage.py", "test", "--noinput")),
        (
            ("tests/manage.py", "test", "--failfast", "-v2"),
            ("app.tests.A",),
            ("tests/manage.py", "test", "--noinput", "-v2", "app.tests.A"),
        ),
        (
            ("-m", "django", "test", "--settings=tests.settings"),
            ("--no-input",),
            ("-m", "django", "test", "--settings=tests.settings", "--no-input"),
        ),
        (("runtests.py",), ("app",), ("runtests.py", "app")),
        (("runtests.py",), ("test",), ("runtests.py", "test")),
        (
            ("manage.py", "test", "--shuffle"),
            (),
            ("manage.py", "test", "--noinput", "--shuffle=1"),
        ),
    ],
)
@pytest.mark.parametrize("mode", ["strict", "plain", "scoped"])
def test_djangos_runner_is_run_as_its_owners_run_it(
    suite: tuple[str, ...], args: tuple[str, ...], expected: tuple[str, ...], mode: str
) -> None:
    assert argv(Suite(kind="django", argv=suite), STAND, mode, *args) == expected


def test_what_djangos_runner_loses_is_noted() -> None:
    suite = Suite(kind="django", argv=("manage.py", "test", "--shuffle"))
    assert suites.neutralised(suite, STAND, ("--failfast", "--pdb")) == (
        "--failfast is left out: it ends the suite at its first failure",
        "--pdb is left out: nobody is there to answer",
        "--shuffle has the seed 1: the order must be the same in each cell",
    )


def test_passes_of_one_cell_share_no_file() -> None:
    names = ("strict", "plain", "plain-whole", "scoped")
    files = [msgspec.structs.astuple(PassFiles.in_folder("/c", name)) for name in names]
    assert len(set(itertools.chain(*files))) == 4 * len(files[0])


@pytest.mark.parametrize(
    ("suite", "expected"),
    [
        (DJANGO, ()),
        (PYTEST, ("pytest",)),
        (msgspec.structs.replace(PYTEST, pytest_django=True), ("pytest", "pytest-django")),
    ],
)
def test_packages_a_suite_needs(suite: Suite, expected: tuple[str, ...]) -> None:
    assert suites.packages(suite) == expected


# Environment variables

LEAKS = {
    "PYTHONPATH": "/leak",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONWARNINGS": "ignore",
    "UV_OFFLINE": "",
    "PIP_INDEX_URL": "https://secret@example.org",
    "COVERAGE_PROCESS_START": "x",
    "PYTEST_ADDOPTS": "-x",
    "DJANGO_SETTINGS_MODULE": "leak.settings",
    "VIRTUAL_ENV": "/leak",
    "DJHOP_CACHE": "/leak",
    "AWS_SECRET_ACCESS_KEY": "leak",
    "CI": "true",
    "HOME": "/leak",
    "TMPDIR": "/leak",
}
KEPT = {"PATH": "/usr/bin", "LC_TIME": "de_DE", "LANG": "de_DE", "https_proxy": "http://p"}


def environ(**more: object) -> dict[str, str]:
    return suites.cell_environ(ROOM, inherited={**LEAKS, **KEPT}, **more)  # type: ignore[arg-type]


def test_the_whole_environment_of_a_cell() -> None:
    assert environ() == {
        "PATH": f"/envs/k/bin{os.pathsep}/usr/bin",
        "LC_TIME": "de_DE",
        "LANG": "de_DE",
        "https_proxy": "http://p",
        "VIRTUAL_ENV": "/envs/k",
        "HOME": "/w/home",
        "TMPDIR": "/w/tmp",
        "TMP": "/w/tmp",
        "TEMP": "/w/tmp",
        "XDG_CACHE_HOME": "/w/home/.cache",
        "XDG_CONFIG_HOME": "/w/home/.config",
        "XDG_DATA_HOME": "/w/home/.local/share",
        "XDG_STATE_HOME": "/w/home/.local/state",
        "XDG_RUNTIME_DIR": "/w/tmp",
        "GIT_CEILING_DIRECTORIES": "/w",
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": os.pathsep.join(("/djhop/probe", "/w/tree/src", "/w/tree")),
        "COVERAGE_CORE": "sysmon",
    }


def test_what_never_leaks_does_not_even_by_a_glob() -> None:
    found = environ(pass_env=("*",))
    never = {name: found.get(name) for name in LEAKS if name not in ("CI", "AWS_SECRET_ACCESS_KEY")}
    assert "/leak" not in str(never)
    assert not {"UV_OFFLINE", "PIP_INDEX_URL", "PYTEST_ADDOPTS", "PYTHONWARNINGS"} & found.keys()
    assert (found["CI"], found["AWS_SECRET_ACCESS_KEY"]) == ("true", "leak")


def test_pass_env_takes_globs_as_tox_does() -> None:
    assert "AWS_SECRET_ACCESS_KEY" in environ(pass_env=("AWS_*",))
    assert "AWS_SECRET_ACCESS_KEY" not in environ(pass_env=("AWS",))


def test_set_env_knows_the_cell_and_wins() -> None:
    found = environ(
        set_env={
            "DATABASE_URL": "postgres:///{database}",
            "MEDIA": "{tmp}/{cell}/{unknown}{}",
            "JSON": '{"a": "{workspace}"}',
            "LANG": "C",
            "PYTHONPATH": "{workspace}/lib",
            "PYTHONHASHSEED": "random",
        }
    )
    assert found["DATABASE_URL"] == "postgres:///djhop_py312_django52"
    assert found["MEDIA"] == "/w/tmp/py3.12-django5.2/{unknown}{}"
    assert found["JSON"] == '{"a": "/w/tree"}'
    assert found["LANG"] == "C"
    assert found["PYTHONPATH"].split(os.pathsep) == [
        "/djhop/probe",
        "/w/tree/src",
        "/w/tree",
        "/w/tree/lib",
    ]
    assert found["PYTHONHASHSEED"] == "random"


def test_the_settings_module_is_the_suites() -> None:
    assert environ(settings="app.settings")["DJANGO_SETTINGS_MODULE"] == "app.settings"


def test_text_is_utf8_where_the_machine_does_not_say() -> None:
    assert suites.cell_environ(ROOM, inherited={})["LANG"] == "C.UTF-8"
    assert "LANG" not in suites.cell_environ(ROOM, inherited={"LC_ALL": "C"})


@pytest.mark.parametrize(
    ("python", "branch", "sysmon"),
    [
        ("3.6", False, False),
        ("3.11", False, False),
        ("3.12", False, True),
        ("3.12", True, False),
        ("3.13", True, False),
        ("3.14", True, True),
    ],
)
def test_monitoring_only_where_it_is_the_faster(python: str, branch: bool, sysmon: bool) -> None:
    room = msgspec.structs.replace(ROOM, python=python)
    found = suites.cell_environ(room, inherited={}, branch=branch)
    assert ("COVERAGE_CORE" in found) == sysmon


def test_tests_named_by_the_user_replace_those_of_the_suite() -> None:
    chosen = suites.chosen
    assert chosen(("tests", "--ds=x"), ("tests/test_a.py::test_b",)) == ("--ds=x",)
    assert chosen(("-o", "addopts=", "tests"), ("app.tests.A",)) == ("-o", "addopts=")
    assert chosen(("tests",), ("-k", "refund")) == ("tests",)
    django = ("-m", "django", "test", "--settings=x.y", "app")
    assert chosen(django, ("app.tests.A.test_b",)) == ("-m", "django", "test", "--settings=x.y")
    assert chosen(("runtests.py",), ("tests.A",)) == ("runtests.py",)


def test_the_documentation_names_what_is_inherited_and_what_never_is() -> None:
    text = (Path(__file__).parents[2] / "docs" / "matrix.md").read_text("utf-8")
    _, _, section = text.partition("## The environment of a cell")
    said, _, never = section.partition("### `pass-env`")
    _, _, never = never.partition("Some are never passed")
    never, _, _ = never.partition("### ")
    upper = {name for name in suites.INHERITED if name.upper() == name}
    assert sorted(n for n in upper if f"`{n}`" not in said) == []
    assert {name.upper() for name in suites.INHERITED} == upper, "each in lower case too"
    assert sorted(name for name in NEVER if f"`{name}`" not in never) == []
