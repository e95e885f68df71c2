"""What every part of the probe shares: the configuration, the event log and where the run is."""

import hashlib
import json
import os
from urllib.parse import unquote

from djhop_probe_events import Events, shard_of, short_id

#: Environment variable that holds the path of the configuration.
VARIABLE = "DJHOP_PROBE"
HERE = os.path.dirname(os.path.abspath(__file__))
# In a tuple, so that nothing that patches the globals of modules finds it.
_real_pid = (os.getpid,)


class State(object):
    """One per process; workers forked from it carry a copy and know it by the pid."""

    started = False
    config = {}
    events = None
    #: "strict", "plain" or "scoped".
    mode = "plain"
    #: "import", "config", "collect" or "runtest": where a warning outside tests belongs.
    phase = "import"
    #: Id of the test that is running, or None.
    current = None
    #: Tests that ran to their end.
    ran = 0
    pid = 0
    #: The cell's folder for temporary files; the suite may change the variable that names it.
    tmp = ""
    #: Exit status that the suite asked for.
    code = 0
    #: Whether it is a worker that was started afresh, and has parts of a suite to run.
    worker = False
    #: Whether something was reported that explains a run without tests.
    explained = False
    coverage = None
    #: Tests that ended in an earlier process of this pass, as the log names them.
    done = frozenset()
    #: [number, of how many]: the part of the suite that is run here; None for all of it.
    shard = None

    def start(self):
        """Read the configuration named by the environment; only the first call does anything."""
        if self.started:
            return
        with open(os.environ[VARIABLE], encoding="utf-8") as file:
            self.config = json.load(file)
        self.mode = self.config["mode"]
        self.events = Events(self.config["events"], secrets(self.config.get("secrets") or {}))
        self.done = frozenset(self.config.get("done") or ())
        self.shard = self.config.get("shard")
        self.tmp = os.environ.get("TMPDIR", "")
        self.pid = _real_pid[0]()
        self.started = True

    def is_literal(self):
        """Return whether Python itself was told to be strict, from the start of the process on."""
        return self.mode == "strict" and bool(self.config.get("literal"))

    def is_left_out(self, test_id):
        """Return whether a test is none of this process's: it ended in an earlier process of this
        pass, or belongs to another part of the suite."""
        if not self.done and self.shard is None:
            return False
        shown = self.events.shown(test_id)
        if shown in self.done:
            return True
        return self.shard is not None and shard_of(shown, self.shard[1]) != self.shard[0]

    def is_main_process(self):
        """Return whether this is the process that started, not one forked from it since."""
        return _real_pid[0]() == self.pid


def secrets(parts):
    """Return the secrets in the environment as {secret: what to write in its place}.

    `parts` is {variable: [[start, end] of each part of its value]}: only where they stand is in the
    configuration, which is a file that is kept. Each has a number, the same in every cell: tests
    whose ids differ in nothing but secrets are different tests.
    """
    found = {}
    for number, name in enumerate(sorted(parts), 1):
        for start, end in parts[name]:
            secret = os.environ.get(name, "")[start:end]
            for form in (secret, unquote(secret), repr(secret)[1:-1], ascii(secret)[1:-1]):
                found.setdefault(form, "****%d" % number)
    found.pop("", None)
    return found


STATE = State()
_noted = set()


def emit(kind, **fields):
    """Append one event to the log."""
    if STATE.events is not None:
        STATE.events.emit(kind, **fields)


def note(text):
    """Report something that was neutralised or could not be done, once."""
    if text not in _noted:
        _noted.add(text)
        emit("note", text=text)


def divide(ids):
    """Report how large the suite is of which a part is run here, and what stands for its ids."""
    if STATE.shard is not None:
        shown = sorted(STATE.events.shown(test_id) for test_id in ids)
        text = "\0".join(shown).encode("utf-8", "surrogatepass")
        digest = hashlib.sha256(text).hexdigest()[:20]
        number, of = STATE.shard
        emit("shard", number=number, of=of, total=len(shown), digest=digest)


def announce(ids):
    """Report the collected tests in run order, at most 500 ids and 100,000 bytes a line."""
    chunk, size = [], 0
    for test_id in map(short_id, ids):
        length = len(ascii(test_id))  # about what JSON makes of it
        if chunk and (len(chunk) == 500 or size + length > 100000):
            emit("collected", ids=chunk)
            chunk, size = [], 0
        chunk.append(test_id)
        size += length
    if chunk:
        emit("collected", ids=chunk)
