"""What a step found, as JSON that is renamed into place: nobody ever reads half of it."""

import json
import os
import sys
import traceback

from djhop_probe_exceptions import describe
from djhop_probe_state import STATE, secrets

#: Longest text, in characters, and longest list.
TEXT_LIMIT, LIST_LIMIT = 4000, 20000


class Unavailable(Exception):
    """The step cannot be done here; the text says why."""


class Result(object):
    """One step's result: `status` and, under the step's own names, what it found."""

    def __init__(self, config):
        self._path = config["result"]
        self._root = os.path.join(config["root"], "")
        self._secrets = secrets(config.get("secrets") or {})
        self.found = {"step": config["step"], "status": "failed"}

    def done(self):
        """The step came to its end."""
        if self.found["status"] != "not-available" and "error" not in self.found:
            self.found["status"] = "ok"

    def failed(self, error):
        """The step ended in an exception."""
        traceback.print_exception(type(error), error, error.__traceback__, file=sys.stderr)
        self.found.update(status="failed", error=described(error))

    def unavailable(self, why):
        """The step cannot be done."""
        sys.stderr.write("djhop: %s\n" % why)
        self.found.update(status="not-available", reason=why)

    def write(self):
        """Write what is known so far."""
        self._replace(self._path, self.found)

    def running(self, what):
        """Say what is being done, for the case that it never ends."""
        self._replace(self._path + ".running", {"running": what})

    def _replace(self, path, value):
        text = json.dumps(self._shown(value), default=repr)
        aside = "%s.%d" % (path, os.getpid())
        with open(aside, "w", encoding="ascii") as file:
            file.write(text)
        os.replace(aside, path)

    def _shown(self, value):
        """Return `value` bounded, without secrets and without the workspace's own path."""
        if isinstance(value, str):
            for secret in sorted(self._secrets, key=len, reverse=True):
                value = value.replace(secret, self._secrets[secret])
            return value[:TEXT_LIMIT]
        if isinstance(value, dict):
            return {self._shown(str(key)): self._shown(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._shown(item) for item in value[:LIST_LIMIT]]
        return value

    def relative(self, path):
        """Return a path relative to the workspace where it is in it."""
        found = os.path.realpath(path)
        root = os.path.join(os.path.realpath(self._root), "")
        return found[len(root) :] if found.startswith(root) else found

    def shortened(self, text):
        """Return `text` without the workspace's own path, which differs from cell to cell."""
        for root in {self._root, os.path.join(os.path.realpath(self._root), "")}:
            text = text.replace(root, "")
        return text


def described(error):
    """Return an exception as data."""
    return describe(error)


def is_own(path):
    """Return whether a file or folder is the project's, and not an installed package's."""
    found = os.path.realpath(path)
    root = os.path.join(os.path.realpath(STATE.config["root"]), "")
    installed = os.path.join(os.path.realpath(sys.prefix), "")
    return (found + os.sep).startswith(root) and not found.startswith(installed)
