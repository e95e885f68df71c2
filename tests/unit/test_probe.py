"""The probe's parts that need no environment: syntax, the event log, exceptions, the spy."""

from __future__ import annotations

import ast
import copy
import errno
import importlib
import json
import os
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from unittest import mock

import pytest

import djhop
from djhop import masking

PROBE = Path(djhop.__file__).parent / "probe"
MODULES = sorted(PROBE.glob("*.py"))
Event = dict[str, object]


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The probe's modules, imported afresh as they are in a target's process."""
    monkeypatch.syspath_prepend(str(PROBE))
    yield importlib.import_module("djhop_probe_events")
    for name in [name for name in sys.modules if name.startswith("djhop_probe")]:
        del sys.modules[name]


def read(path: Path) -> list[Event]:
    return [json.loads(line) for line in path.read_text("ascii").splitlines()]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_every_module_keeps_to_python_3_6(path: Path) -> None:
    tree = ast.parse(path.read_text(), feature_version=(3, 6))
    names = [
        (node.names[0].name if isinstance(node, ast.Import) else node.module or "").split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    foreign = {n for n in names if n not in sys.stdlib_module_names and not n.startswith("djhop_")}
    assert foreign <= {"pytest", "_pytest", "coverage", "django"}


def test_the_folder_holds_only_modules_with_our_prefix() -> None:
    assert MODULES
    others = [p.name for p in PROBE.iterdir() if p.name != "__pycache__" and p not in MODULES]
    assert others == []
    assert all(path.stem.startswith("djhop_") for path in MODULES)


class TestEvents:
    def test_one_ascii_line_per_event(self, probe: ModuleType, tmp_path: Path) -> None:
        events = probe.Events(str(tmp_path / "e"))
        events.emit("start", id="é\ud800\n")
        events.emit("odd", thing=object())
        lines = read(tmp_path / "e")
        assert [line["e"] for line in lines] == ["start", "odd"]
        assert lines[0]["id"] == "é\ud800\n"
        assert lines[0]["pid"] == os.getpid()

    def test_secrets_are_written_as_numbers(
        self, probe: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        state = importlib.import_module("djhop_probe_state")
        environ = {
            "DATABASE_URL": "postgres://shop:pl%40nted@db/shop",
            "KEY": 'qu"ote\\\né',
            "TOKEN": "pl%40nted-and-more",
        }
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        events = probe.Events(str(tmp_path / "e"), state.secrets(masking.spans(environ)))
        events.emit("start", id="test[pl@nted]", text=list(environ.values()))
        events.emit("start", id=repr(environ["KEY"]))
        first, second = read(tmp_path / "e")
        assert first["id"] == "test[****1]"
        assert first["text"] == ["postgres://shop:****1@db/shop", "****2", "****3"]
        assert second["id"] == "'****2'"

    def test_a_secret_is_only_looked_for_in_words_of_the_target(
        self, probe: ModuleType, tmp_path: Path
    ) -> None:
        secrets = dict.fromkeys(("report", "failed", "outcome", "123456", "models"), "****1")
        events = probe.Events(str(tmp_path / "e"), secrets)
        row = ["/x/models.py", 123456, "failed", "raise Wrong('models')"]
        cause = {"type": "x.models.Wrong", "message": "failed", "frames": [row], "cause": None}
        exc = {"type": "x.failed", "message": "is 123456", "frames": [], "cause": cause}
        events.emit("report", id="test_models", outcome="failed", seconds=0.123456, exc=exc)
        (line,) = read(tmp_path / "e")
        assert (line["e"], line["outcome"], line["seconds"]) == ("report", "failed", 0.123456)
        assert line["id"] == "test_****1"
        shown = {**cause, "message": "****1", "frames": [[*row[:3], "raise Wrong('****1')"]]}
        assert line["exc"] == {**exc, "message": "is ****1", "cause": shown}

    def test_survives_closed_and_reused_descriptors(
        self, probe: ModuleType, tmp_path: Path
    ) -> None:
        events = probe.Events(str(tmp_path / "e"))
        events.emit("one")
        os.close(events._fd)
        other = os.open(tmp_path / "other", os.O_WRONLY | os.O_CREAT)
        assert other == events._fd, "the number is reused, as it is in real life"
        events.emit("two")
        os.close(other)
        assert [line["e"] for line in read(tmp_path / "e")] == ["one", "two"]
        assert (tmp_path / "other").read_bytes() == b""

    def test_what_a_full_disk_does_not_take_is_written_later(
        self, probe: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        room = 100

        def write(number: int, data: bytes) -> int:
            nonlocal room
            if not room:
                raise OSError(errno.ENOSPC, "No space left on device")
            taken, room = data[:room], max(room - len(data), 0)
            return os.write(number, taken)

        monkeypatch.setattr(probe._Real, "write", write)
        events = probe.Events(str(tmp_path / "e"))
        for number in range(20):
            events.emit("report", id=f"test {number}")
        assert (tmp_path / "e").stat().st_size == 100
        # What a process forked meanwhile has to write is its own alone.
        forked = copy.deepcopy(events)
        room = 10_000
        events.emit("end")
        assert [line.get("id") for line in read(tmp_path / "e")] == [
            *(f"test {number}" for number in range(20)), None
        ]  # fmt: skip
        monkeypatch.setattr(probe._Real, "pid", lambda: 7)
        forked.emit("end")
        assert [line["pid"] for line in read(tmp_path / "e")[21:]] == [7]

    def test_survives_mocked_functions_and_frozen_time(
        self, probe: ModuleType, tmp_path: Path
    ) -> None:
        events = probe.Events(str(tmp_path / "e"))
        before = time.time()
        boom = mock.Mock(side_effect=AssertionError)
        with (
            mock.patch.object(os, "write", boom),
            mock.patch.object(os, "open", boom),
            mock.patch.object(os, "fstat", boom),
            mock.patch.object(time, "time", boom),
            mock.patch.object(json, "dumps", boom),
            mock.patch("builtins.open", boom),
        ):
            events.emit("one")
        (line,) = read(tmp_path / "e")
        stamp = line["t"]
        assert isinstance(stamp, float)
        assert before <= stamp <= time.time()

    def test_holds_nothing_that_freezegun_would_replace(self, probe: ModuleType) -> None:
        for name in ("events", "state", "results", "reports"):
            module = importlib.import_module(f"djhop_probe_{name}")
            real = (time.time, time.perf_counter, time.monotonic, os.getpid)
            assert not [key for key, value in vars(module).items() if value in real]

    def test_never_raises(self, probe: ModuleType, tmp_path: Path) -> None:
        probe.Events(str(tmp_path / "missing" / "e")).emit("one", loop=1)
        loop: list[object] = []
        loop.append(loop)
        probe.Events(str(tmp_path / "e")).emit("one", loop=loop)

    def test_lets_an_interrupt_through(self, probe: ModuleType, tmp_path: Path) -> None:
        with (
            mock.patch.object(probe._Real, "encode", mock.Mock(side_effect=KeyboardInterrupt)),
            pytest.raises(KeyboardInterrupt),
        ):
            probe.Events(str(tmp_path / "e")).emit("one")

    @pytest.mark.parametrize(
        ("fields", "kept"),
        [
            ({"exc": {"frames": [["f" * 3000, 1, "g", "s" * 3000]] * 60, "message": "é"}}, "exc"),
            ({"stack": [["x" * 9000, 1, "f"]] * 60}, "stack"),
            ({"anything": {str(n): "y" * 900 for n in range(900)}}, "id"),
        ],
    )
    def test_a_line_is_bounded(
        self, probe: ModuleType, tmp_path: Path, fields: dict[str, object], kept: str
    ) -> None:
        probe.Events(str(tmp_path / "e")).emit("report", id="a::b", outcome="failed", **fields)
        (line,) = read(tmp_path / "e")
        assert (line["id"], line["outcome"], line["cut"]) == ("a::b", "failed", True)
        assert line[kept]
        assert (tmp_path / "e").stat().st_size <= 256 * 1024

    def test_long_ids_stay_apart_and_stay_equal(self, probe: ModuleType) -> None:
        one, two = "t[" + "a" * 5000 + "1]", "t[" + "a" * 5000 + "2]"
        assert probe.short_id(one) == probe.short_id(one) != probe.short_id(two)
        assert len(probe.short_id(one)) <= probe.ID_LIMIT
        assert probe.short_id("t[a]") == "t[a]"
        assert probe.short_id("\ud800" * 5000)

    def test_a_forked_child_writes_whole_lines_of_its_own(
        self, probe: ModuleType, tmp_path: Path
    ) -> None:
        events = probe.Events(str(tmp_path / "e"))
        events.emit("parent")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python 3.12 minds a fork beside threads
            child = os.fork()
        if child == 0:
            for _ in range(200):
                events.emit("child", text="c" * 3000)
            os._exit(0)
        for _ in range(200):
            events.emit("parent", text="p" * 3000)
        os.waitpid(child, 0)
        lines = read(tmp_path / "e")
        assert sum(line["e"] == "child" for line in lines) == 200
        assert {line["pid"] for line in lines if line["e"] == "child"} == {child}


class TestExceptions:
    def describe(self, error: BaseException) -> dict[str, object]:
        module = importlib.import_module("djhop_probe_exceptions")
        found = module.describe(error)
        assert isinstance(found, dict)
        return found

    def test_chain_frames_and_names(self, probe: ModuleType) -> None:
        try:
            try:
                raise DeprecationWarning("old")
            except DeprecationWarning as old:
                raise pytest.UsageError("new") from old
        except pytest.UsageError as error:
            found = self.describe(error)
        assert found["type"] == "pytest.UsageError"
        assert found["mro"] == [found["type"], "Exception", "BaseException"]
        assert isinstance(found["cause"], dict)
        assert found["cause"]["type"] == "DeprecationWarning"
        frames = found["frames"]
        assert isinstance(frames, list)
        file, line, function, source = frames[-1]
        assert (file, function) == (__file__, "test_chain_frames_and_names")
        assert line and source == 'raise pytest.UsageError("new") from old'

    def test_a_suppressed_context_is_no_cause(self, probe: ModuleType) -> None:
        try:
            try:
                raise KeyError("hidden")
            except KeyError:
                raise ValueError("seen") from None
        except ValueError as error:
            assert self.describe(error)["cause"] is None

    def test_an_import_error_that_pytest_django_words_anew_is_the_one_before(
        self, probe: ModuleType
    ) -> None:
        unwrapped = importlib.import_module("djhop_probe_reports").unwrapped

        def again(text: str) -> ImportError:
            try:
                try:
                    raise ModuleNotFoundError("No module named 'gone'")
                except ImportError as first:
                    raise ImportError(text.format(first)) from None
            except ImportError as error:
                return error

        found = unwrapped(again("{}\n\npytest-django could not find a Django project"))
        assert isinstance(found, ModuleNotFoundError)
        other = again("install extra [gone]")
        assert unwrapped(other) is other

    def test_a_syntax_error_ends_at_its_own_line(self, probe: ModuleType) -> None:
        with pytest.raises(SyntaxError) as caught:
            compile("x = (\n", "/somewhere/a.py", "exec")
        frames = self.describe(caught.value)["frames"]
        assert isinstance(frames, list)
        assert frames[-1][:2] == ["/somewhere/a.py", 1]

    def test_deep_and_long_are_cut(self, probe: ModuleType) -> None:
        def dig(depth: int) -> None:
            if depth:
                dig(depth - 1)
            raise ValueError("m" * 9000)

        with pytest.raises(ValueError, match="m") as caught:
            dig(200)
        found = self.describe(caught.value)
        assert isinstance(found["frames"], list)
        assert isinstance(found["message"], str)
        assert (len(found["frames"]), len(found["message"]), found["cut"]) == (60, 4000, True)
        assert found["message"].endswith(" ... (cut by djhop)")

    def test_hostile_exceptions(self, probe: ModuleType) -> None:
        class HostileError(Exception):
            def __str__(self) -> str:
                raise RuntimeError

        loop = ValueError("loop")
        loop.__context__ = KeyError("inner")
        loop.__context__.__context__ = loop
        assert "could not be had" in str(self.describe(HostileError())["message"])
        assert self.describe(loop)["cause"]

    def test_a_runner_is_dropped_only_at_the_outside(self, probe: ModuleType) -> None:
        module = importlib.import_module("djhop_probe_exceptions")
        runner = ["/env/site-packages/_pytest/runner.py", 1, "run"]
        own = ["/app/unittest/test_a.py", 2, "test"]
        assert module.without_runner([runner, own, runner]) == [own, runner]
        assert module.without_runner([runner] * 9) == [runner] * 5


class TestAnnounce:
    def test_collected_ids_come_in_bounded_lines(self, probe: ModuleType, tmp_path: Path) -> None:
        state = importlib.import_module("djhop_probe_state")
        state.STATE.events = probe.Events(str(tmp_path / "e"))
        ids = [f"t[{n}]" for n in range(1201)] + ["é" * 1900 + str(n) for n in range(40)]
        state.announce(ids)
        lines = [line["ids"] for line in read(tmp_path / "e")]
        assert [test for line in lines if isinstance(line, list) for test in line] == ids
        assert all(isinstance(line, list) and len(line) <= 500 for line in lines)
        assert not any("cut" in line for line in read(tmp_path / "e"))


@pytest.mark.parametrize(
    ("version", "text", "series", "other"),
    [
        ((4, 2, 30, "final", 0), "4.2.30", "4.2", "4.1"),
        ((5, 0, 0, "final", 0), "5.0", "5.0", "5"),
        ((6, 1, 0, "rc", 1), "6.1rc1", "6.1", "6.0"),
        ((1, 11, 29, "final", 0), "1.11.29", "1.11", "1.1"),
        ((2028, 1, 0, "final", 0), "2028.1", "2028", "2027"),
        ((2028, 1, 2, "beta", 3), "2028.1.2b3", "2028", "2029"),
    ],
)
def test_versions_and_series(
    probe: ModuleType, version: tuple[object, ...], text: str, series: str, other: str
) -> None:
    target = importlib.import_module("djhop_probe_target")
    assert target.version_text(version) == text
    assert target.belongs(version, series)
    assert not target.belongs(version, other) or other == "5"
    assert not target.belongs(None, series)


class TestWarnings:
    """What is shown is recorded; what a test catches for itself is not."""

    @pytest.fixture
    def recorded(self, probe: ModuleType, tmp_path: Path) -> Iterator[Path]:
        state = importlib.import_module("djhop_probe_state")
        module = importlib.import_module("djhop_probe_warnings")
        state.STATE.events = probe.Events(str(tmp_path / "e"))
        (tmp_path / "e").touch()
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            # Stands for "shown on stderr"; restored on the way out.
            warnings._showwarnmsg_impl = lambda _: None  # type: ignore[attr-defined]
            before = warnings._showwarnmsg  # type: ignore[attr-defined]
            module.RECORDER.install()
            yield tmp_path / "e"
            warnings._showwarnmsg = before  # type: ignore[attr-defined]

    def test_shown_once_per_test_with_a_stack(self, recorded: Path) -> None:
        for _ in range(3):
            warnings.warn("old", DeprecationWarning, stacklevel=1)
        (event,) = read(recorded)
        assert (event["category"], event["message"], event["fatal"]) == (
            "DeprecationWarning",
            "old",
            False,
        )
        assert isinstance(event["stack"], list)
        assert event["stack"][-1] == [
            __file__,
            event["line"],
            "test_shown_once_per_test_with_a_stack",
        ]

    def test_caught_is_not_recorded(self, recorded: Path) -> None:
        with warnings.catch_warnings(record=True) as log:
            warnings.simplefilter("always")
            warnings.warn("caught", DeprecationWarning, stacklevel=1)
        assert len(log) == 1
        assert read(recorded) == []

    def test_other_categories_are_left_alone(self, recorded: Path) -> None:
        with pytest.warns(UserWarning, match="user"):
            warnings.warn("user", UserWarning, stacklevel=1)
        assert read(recorded) == []

    def test_a_total_cap(self, recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        module = sys.modules["djhop_probe_warnings"]
        monkeypatch.setattr(module, "LIMIT", 5)
        for number in range(20):
            warnings.warn(f"old {number}", PendingDeprecationWarning, stacklevel=1)
        kinds = [event["e"] for event in read(recorded)]
        assert kinds == ["warning"] * 5 + ["note"]

    def test_stacks_of_one_place_are_bounded(
        self, recorded: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        module = sys.modules["djhop_probe_warnings"]
        monkeypatch.setattr(module, "STACKS", 2)
        for number in range(4):
            module.STATE.current = f"test {number}"
            warnings.warn("old", DeprecationWarning, stacklevel=1)
        assert [bool(event["stack"]) for event in read(recorded)] == [True, True, False, False]


def test_two_that_wait_for_one_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "awaited_by_two.py").write_text("text = 'x'\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.syspath_prepend(str(PROBE))
    loading = importlib.import_module("djhop_probe_loading")
    for word in "abc":
        loading.when_loaded(
            "awaited_by_two", lambda module, word=word: setattr(module, "text", module.text + word)
        )
    try:
        module = importlib.import_module("awaited_by_two")
        assert sorted(module.text) == ["a", "b", "c", "x"]
        assert "exec_module" not in vars(module.__spec__.loader)
        assert not any(type(one) is loading._Finder for one in sys.meta_path)
    finally:
        for name in ("awaited_by_two", "djhop_probe_loading"):
            sys.modules.pop(name, None)
