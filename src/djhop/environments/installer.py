"""Runs uv, tries again where the network is to blame, and says whose fault a failure is."""

from __future__ import annotations

import fnmatch
import random
import re
import textwrap
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

from djhop.errors import InfraError, Interrupted
from djhop.masking import mask
from djhop.processes.process import Command, Completed, Spawner

#: The environment variables that uv, and the builds it starts, get; nothing else leaks in.
PASSED = (
    # the user and the system
    "HOME", "PATH", "USER", "LOGNAME", "LANG", "LC_*", "TMPDIR", "TEMP", "TMP", "XDG_*",
    # the network
    "*_PROXY", "*_proxy", "SSL_*", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NETRC",
    # credentials: keyring, git, ssh
    "PYTHON_KEYRING_BACKEND", "KEYRING_*", "DBUS_SESSION_BUS_ADDRESS", "SSH_AUTH_SOCK",
    "GIT_SSH*", "GIT_ASKPASS", "GOOGLE_APPLICATION_CREDENTIALS", "AWS_*",
    # compilers, for what has no wheel
    "CC", "CXX", "AR", "LD", "CPATH", "*CFLAGS", "CXXFLAGS", "CPPFLAGS", "*LDFLAGS", "ARCHFLAGS",
    "LD_LIBRARY_PATH", "LIBRARY_PATH", "C_INCLUDE_PATH", "PKG_CONFIG*", "PG_CONFIG", "MAKEFLAGS",
    "MACOSX_DEPLOYMENT_TARGET", "SDKROOT", "CARGO_*", "RUSTUP_*", "SOURCE_DATE_EPOCH",
    # uv: where packages come from, and how
    "UV_INDEX*", "UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_NO_INDEX",
    "UV_CACHE_DIR", "UV_KEYRING_PROVIDER", "UV_INSECURE_HOST", "UV_NATIVE_TLS", "UV_SYSTEM_CERTS",
    "UV_OFFLINE", "UV_HTTP_*", "UV_REQUEST_TIMEOUT", "UV_CONCURRENT_*", "UV_LINK_MODE",
    "UV_CONFIG_FILE", "UV_NO_CONFIG", "UV_NO_BINARY*", "UV_NO_BUILD*", "UV_BUILD_CONSTRAINT",
    "UV_PYTHON_INSTALL*", "UV_PYTHON_DOWNLOADS*", "UV_PYTHON_CACHE_DIR", "UV_GITHUB_TOKEN",
)  # fmt: skip
_PASSED = re.compile("|".join(fnmatch.translate(pattern) for pattern in PASSED))

#: What uv says where the machine or the network failed, and trying again may help.
PASSING = re.compile(
    r"error sending request|failed to fetch|dns error|timed out|connection (refused|reset|closed)|"
    r"network is unreachable|HTTP status server error|50\d (Internal|Bad|Service|Gateway)|too many "
    r"requests|"
    r"error decoding response body|unexpected (eof|end of file)|incomplete message|"
    r"request failed after|broken pipe|tls handshake|resource temporarily unavailable",
    re.IGNORECASE,
)
#: As above, but trying again does not help.
LASTING = re.compile(
    r"no space left|disk quota|read-only file system|permission denied|too many open files|"
    r"cannot allocate memory|hash mismatch|invalid (peer )?certificate|401 unauthorized|403 "
    r"forbidden|missing credentials|failed to (initialize|open) cache",
    re.IGNORECASE,
)
#: uv was told not to use the network, and would have needed it.
NOT_CACHED = re.compile(
    r"network connectivity is disabled|network was disabled|not found in the cache", re.IGNORECASE
)
#: It is the package: it cannot be built, or there is no such release for this Python.
PACKAGE = (
    re.compile(r"Failed to build `([^`]+)`"),
    re.compile(r"Failed to download and build `([^`]+)`"),
    re.compile(r"there is no version of (\S+)"),
    re.compile(r"Because ([\w.-]+(?:==\S+)?) (?:has no|was not found|requires|depends)"),
    re.compile(r"Because the (?:requested|current) Python version .*? and ([\w.-]+==\S+) depends"),
    re.compile(r"(?:Failed to (?:read|install|unpack|prepare|download)[^`\n]*) `([^`]+)`"),
)
#: Seconds before the second and the third try; each is stretched at random by up to a half.
BACKOFF = (0.5, 2.0)
#: Seconds one uv process may take: what has no wheel is compiled.
TIMEOUT = 1800.0
TAIL = 12


class CannotInstall(Exception):  # noqa: N818 - it is a result (the cell is uninstallable), no error
    """A package cannot be installed for this Python; a fact about the target, not about djhop.

    `package` is "pillow==8.4.0" (or "" where uv names none), `tail` the last lines that say why,
    `log` the path of all that uv and the build wrote.
    """

    def __init__(self, package: str, tail: str, log: str) -> None:
        super().__init__(f"cannot install {package or 'the packages'}: {tail}")
        self.package, self.tail, self.log = package, tail, log


class Uv(msgspec.Struct, frozen=True, kw_only=True):
    """uv, ready to run."""

    spawner: Spawner
    executable: str
    #: The whole environment; see `uv_environ`.
    env: dict[str, str]
    #: Where uv looks for its configuration (uv.toml, [tool.uv]).
    cwd: Path
    #: Gets everything a failing uv wrote.
    log: Path
    offline: bool = False

    def run(
        self, *argv: str, env: Mapping[str, str] | None = None, timeout: float = TIMEOUT
    ) -> str:
        """Run uv once, for at most `timeout` seconds; return its output.

        Raises:
            CannotInstall: a package is to blame.
            InfraError: the machine or the network is.
            Interrupted: djhop was asked to stop.
        """
        done = self._once(argv, env, timeout)
        if done.returncode != 0:
            raise self._failure(done)
        return done.output

    def install(self, *argv: str, env: Mapping[str, str] | None = None) -> None:
        """Run `uv pip install ARGV`: from uv's cache alone first, as that takes half the time.

        The network is asked where something is not in the cache, and asked again (three times in
        all, and each time uv itself tries several times) where it failed. Raises what `run` raises.
        """
        argv = ("pip", "install", *argv)
        done = self._once((*argv, "--offline"), env)
        if done.returncode == 0:
            return
        failure = self._failure(done)
        if self.offline or not NOT_CACHED.search(_own_words(done.output)):
            raise failure
        for pause in (*BACKOFF, None):
            done = self._once(argv, env)
            if done.returncode == 0:
                return
            failure = self._failure(done)
            if pause is None or not _may_pass(done) or _was_stubborn(done):
                break
            self._sleep(pause * random.uniform(1.0, 1.5))
        raise failure

    def _once(
        self, argv: tuple[str, ...], env: Mapping[str, str] | None, timeout: float = TIMEOUT
    ) -> Completed:
        done = self.spawner.run(
            Command(
                argv=(self.executable, *argv),
                cwd=str(self.cwd),
                env={**self.env, **(env or {})},
                timeout=timeout,
            )
        )
        if done.interrupted:
            raise Interrupted("interrupted while installing packages")
        return done

    def _failure(self, done: Completed) -> CannotInstall | InfraError:
        """Say whose fault it is, from uv's own words: what a build printed is not one of them."""
        with self.log.open("a", encoding="utf-8", errors="backslashreplace") as log:
            log.write(f"$ uv {' '.join(done.argv[1:])}\n{mask(done.output)}\n")
        words, last = _own_words(done.output), tail(done.output)
        hint = f"all of it: {self.log}"
        if done.timed_out:
            return InfraError(f"uv took longer than {done.seconds:.0f} s", hint=hint)
        if done.returncode < 0 or done.returncode in {126, 127}:
            return InfraError(f"uv ended with status {done.returncode}: {last}", hint=hint)
        if NOT_CACHED.search(words):
            return InfraError(
                f"not in uv's cache: {last}",
                hint="run once with the network: without --offline and UV_OFFLINE",
            )
        if _may_pass(done) or LASTING.search(words):
            return InfraError(f"packages could not be fetched: {last}", hint=hint)
        for pattern in PACKAGE:
            if match := pattern.search(words):
                return CannotInstall(package_of(match[1]), last, str(self.log))
        return InfraError(f"uv failed: {last}", hint=hint)

    def _sleep(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.spawner.interrupted:
                raise Interrupted("interrupted while waiting for the package index")
            time.sleep(min(0.1, seconds))


def uv_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """Choose what uv gets of an environment: the names in `PASSED`, where they are not empty.

    An empty UV_OFFLINE is a fatal error to uv, and an inherited PYTHON* or VIRTUAL_ENV would make
    it, or the builds it starts, look at another Python.
    """
    kept = {k: v for k, v in environ.items() if _PASSED.match(k)}
    kept = {k: v for k, v in kept.items() if v or not k.startswith("UV_")}
    return {**kept, "UV_NO_PROGRESS": "1", "NO_COLOR": "1"}


def tail(output: str) -> str:
    """The last lines of uv's output that mean something, at most `TAIL`, credentials masked."""
    skipped = ("hint:", "Resolved ", "Using ", "Building ", "Prepared ", "Downloading ")
    lines = [line.rstrip() for line in mask(output).splitlines()]
    kept = [line for line in lines if line and not line.lstrip().startswith(skipped)]
    return textwrap.dedent("\n".join(kept[-TAIL:]))


def package_of(requirement: str) -> str:
    """The package in uv's words: "django-x @ file:///a" → "django-x"."""
    return requirement.partition(" @ ")[0].rstrip(".,")


def _own_words(output: str) -> str:
    """What uv itself says: all before the output of a build that it repeats."""
    return re.split(r"^[\s│]*\[std(?:out|err)\]", output, maxsplit=1, flags=re.MULTILINE)[0]


def _may_pass(done: Completed) -> bool:
    words = _own_words(done.output)
    return bool(PASSING.search(words)) and not LASTING.search(words)


def _was_stubborn(done: Completed) -> bool:
    """Whether uv itself has tried again, and again, already."""
    return re.search(r"failed after \d+ retries", _own_words(done.output)) is not None
