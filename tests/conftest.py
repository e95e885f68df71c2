"""What every test of ours may count on, and what a unit test may not do."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

HERE = Path(__file__).parent
# `oracle` is shared by integration tests; importlib mode puts nothing on the path.
sys.path.insert(0, str(HERE))

#: How the reason of a skip begins where an interpreter is missing; the summary counts these.
MISSING = "no Python "

#: Unit tests that start processes all the same, and why; home and network are forbidden them too.
SPAWNING = {
    "test_cells.py": "a command before each pass; what git finds in a cell",
    "test_environments.py": "a script stands for uv",
    "test_fixes.py": "git applies patches",
    "test_marks.py": "what commands leave running",
    "test_probe.py": "what a forked worker writes",
    "test_process.py": "starting and ending processes is what it tests",
    "test_repository.py": "git says what a cell sees of a repository",
    "test_services.py": "small scripts stand for databases",
    "test_workspace.py": "git says which files belong to a target",
}

hypothesis.settings.register_profile("ci", derandomize=True, deadline=None)
hypothesis.settings.register_profile("dev", deadline=None)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "dev")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "needs_python(*minors): skipped where one of these CPythons is not on the machine",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever is under tests/integration is an integration test; some need interpreters."""
    for item in items:
        if item.path.is_relative_to(HERE / "integration"):
            item.add_marker(pytest.mark.integration)


def pytest_runtest_setup(item: pytest.Item) -> None:
    minors = [minor for marker in item.iter_markers("needs_python") for minor in marker.args]
    if minors:
        import oracle

        absent = [minor for minor in minors if minor not in oracle.interpreters()]
        if absent:
            pytest.skip(f"{MISSING}{', '.join(dict.fromkeys(absent))} on this machine")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skips = [
        str(report.longrepr[2]).removeprefix("Skipped: ")
        for report in terminalreporter.stats.get("skipped", [])
        if isinstance(report.longrepr, tuple)
    ]
    missing = [reason for reason in skips if reason.startswith(MISSING)]
    if missing:
        minors = {m for r in missing for m in r[len(MISSING) :].split(" on ")[0].split(", ")}
        named = ", ".join(sorted(minors, key=lambda minor: [int(n) for n in minor.split(".")]))
        terminalreporter.write_line(
            f"skipped for want of an interpreter: {len(missing)} (Python {named})",
            yellow=True,
        )


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory for what is dear to make; all workers share it, and `oracle` locks its parts."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def sdist(shared: Path) -> Callable[[str, str], Path]:
    """Give the unpacked source distribution of a package at a version; do not change it."""
    import oracle

    return lambda name, version: oracle.fetch_sdist(name, version, shared / "sdists")


@pytest.fixture(scope="session")
def no_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty directory that stands for the home directory."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def only_here(request: pytest.FixtureRequest, no_home: Path) -> Iterator[None]:
    """A unit test starts no process, opens no connection and does not see the real home."""
    if request.node.get_closest_marker("integration"):
        yield
        return
    # A patch of its own: `monkeypatch.undo()` in a test must not take these away.
    with pytest.MonkeyPatch.context() as patch:
        for name in [*os.environ]:
            if name.startswith(("XDG_", "DJHOP_", "UV_", "PYENV_")):
                patch.delenv(name)
        patch.setenv("HOME", str(no_home))
        patch.setenv("USERPROFILE", str(no_home))
        if request.node.path.name not in SPAWNING:
            patch.setattr(subprocess.Popen, "__init__", forbidden("starts a process"))
            for name in ("system", "posix_spawn", "posix_spawnp", "fork", "forkpty"):
                if hasattr(os, name):
                    patch.setattr(os, name, forbidden("starts a process"))
        for name in ("connect", "connect_ex"):
            patch.setattr(socket.socket, name, forbidden("opens a connection"))
        patch.setattr(socket, "getaddrinfo", forbidden("asks for an address"))
        yield


def forbidden(what: str) -> object:
    """Something to call that fails the test that does so, even where `Exception` is caught."""

    def refuse(*args: object, **kwargs: object) -> None:
        pytest.fail(f"a unit test {what}: mark it `integration`, or pass in what it needs")

    return refuse
