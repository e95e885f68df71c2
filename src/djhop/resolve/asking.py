"""Runs one attempt: its files, one uv process, further tries where the index fails."""

from __future__ import annotations

import dataclasses
import random
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from djhop.errors import InfraError, Interrupted
from djhop.masking import mask
from djhop.processes.process import Command, Completed
from djhop.resolve import attempts, locks, proofs
from djhop.resolve.locks import Lock

if TYPE_CHECKING:
    from djhop.resolve.proofs import Failure
    from djhop.resolve.request import Request

#: Seconds before the second and the third try when the index does not answer.
PAUSES = (1.0, 4.0)
#: Seconds one uv process may take, builds of source distributions included.
TIMEOUT = 1800.0


class Runs(Protocol):
    """What is needed of `process.Spawner`."""

    def run(self, command: Command) -> Completed:
        """Run `command` to its end."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Site:
    """Where and with what uv is run."""

    spawner: Runs
    uv: str
    env: dict[str, str]
    cwd: str
    folder: Path
    offline: bool
    sleep: Callable[[float], None]
    #: Seconds before each further try when the index does not answer.
    pauses: tuple[float, ...] = PAUSES

    @property
    def secrets(self) -> tuple[str, ...]:
        """What uv must not be heard to say: the passwords among its variables."""
        return tuple(v for n, v in self.env.items() if v and n.endswith("_PASSWORD"))


class Asking:
    """uv at one site, asked about one cell; counts the processes, and times them."""

    def __init__(self, request: Request, site: Site) -> None:
        self._request, self._site = request, site
        self.processes = 0
        #: The longest that an answer took, in seconds.
        self.slowest = 0.0

    def __call__(self, attempt: attempts.Attempt) -> Lock | Failure:
        """See `ask`."""
        self.processes += 1
        started = time.monotonic()
        try:
            return ask(self._request, attempt, self._site)
        finally:
            self.slowest = max(self.slowest, time.monotonic() - started)

    def at_hand(self, attempt: attempts.Attempt) -> Lock | Failure:
        """See `ask`; with what uv's cache has, and with the index only where that is too little."""
        self.processes += 1
        try:
            return ask(self._request, attempt, dataclasses.replace(self._site, offline=True))
        except InfraError:
            return self(attempt)


def ask(request: Request, attempt: attempts.Attempt, site: Site) -> Lock | Failure:
    """Let uv resolve `attempt`; a failure of the network is tried again after each pause.

    Raises:
        InfraError: the index does not answer or refuses, uv cannot run, or `offline` and the cache
            lacks something.
        Interrupted: djhop was asked to stop.
    """
    answer = _once(request, attempt, site)
    for pause in site.pauses:
        if isinstance(answer, Lock) or answer.kind != "network":
            break
        site.sleep(pause * random.uniform(1.0, 1.5))  # not all machines at once
        answer = _once(request, attempt, site)
    if not isinstance(answer, Lock):
        _refuse_infrastructure(answer)
    return answer


def _once(request: Request, attempt: attempts.Attempt, site: Site) -> Lock | Failure:
    kept = site.folder / "lock.txt"
    kept.unlink(missing_ok=True)
    for name, text in attempts.files(attempt).items():
        (site.folder / name).write_text(text, encoding="utf-8")
    argv = attempts.argv(site.uv, request, attempt, site.folder, offline=site.offline)
    done = site.spawner.run(Command(argv=argv, cwd=site.cwd, env=site.env, timeout=TIMEOUT))
    if done.interrupted:
        raise Interrupted("stopped while resolving")
    if done.timed_out:
        raise InfraError(f"uv did not resolve within {TIMEOUT:.0f} seconds")
    if done.returncode != 0:
        # uv shows the folder relative to where it runs, or whole.
        output = re.sub(rf"\S*{re.escape(site.folder.name)}/", "", done.output)
        return proofs.read(output, site.secrets)
    lock = locks.parse(kept.read_text(encoding="utf-8"))
    return locks.with_notes(lock, warnings(done.output, site.secrets))


def warnings(output: str, secrets: tuple[str, ...] = ()) -> tuple[str, ...]:
    """uv's own warnings, such as that a pinned release is yanked."""
    said = (line for line in output.splitlines() if line.startswith("warning: "))
    return tuple(dict.fromkeys(mask(line[len("warning: ") :], secrets) for line in said))


def _refuse_infrastructure(failure: Failure) -> None:
    """Raise where the project is not to blame: Django is on every index that works."""
    lost = failure.kind == "missing" and failure.package == "django"
    text = proofs.explain(failure)
    if failure.kind == "offline":
        lacks = failure.package or "something it needs"
        raise InfraError(
            f"offline, and uv's cache lacks {lacks}:\n{text}",
            hint="run once with the network: without --offline and UV_OFFLINE",
        )
    who = f"the URL of {failure.package}" if failure.url else "the package index"
    if failure.kind == "credentials" or lost:
        hint = "check netrc and the URL" if failure.url else "check UV_INDEX*, netrc and its URL"
        raise InfraError(f"{who} refuses:\n{text}", hint=hint)
    if failure.kind == "network":
        # uv trusts its own list of authorities, where pip trusts the machine's.
        certificates = "set UV_SYSTEM_CERTS=1 to trust what this machine trusts"
        hint = certificates if "certificate" in text else "try again; --offline for what is cached"
        raise InfraError(f"{who} does not answer:\n{text}", hint=hint)
    if failure.kind == "other":
        raise InfraError(f"uv failed:\n{text}")
