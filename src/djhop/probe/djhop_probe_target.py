"""What the probe asks of the environment: which Django it holds, and coverage."""

import ast
import glob
import importlib.util
import os
import re
import sys
import warnings

from djhop_probe_state import STATE, emit, note

_WORKER = ".worker-"


def find_django():
    """Return Django's VERSION as a tuple, or None, without importing Django.

    Importing it early would run its import-time warnings before the strict filter is in force,
    and so hide from a strict run what `pytest -W` fails on.
    """
    try:
        spec = importlib.util.find_spec("django")
    except Exception:
        return None
    if spec is None or not spec.origin:
        return None
    try:
        with open(spec.origin, encoding="utf-8") as file:
            found = re.search(r"^VERSION\s*=\s*(\(.*?\))", file.read(), re.MULTILINE | re.DOTALL)
        return tuple(ast.literal_eval(found.group(1)))
    except Exception:
        import django

        return tuple(django.VERSION)


def version_text(version):
    """Return "4.2.30", "6.1rc1" or "2028.1" for a VERSION tuple."""
    if version is None:
        return None
    # (6, 1, 0, "rc", 1) is 6.1rc1; a series of one number never has a third.
    numbers = list(version[:3])
    while len(numbers) > 2 and numbers[-1] == 0:
        numbers.pop()
    text = ".".join(map(str, numbers))
    kind = version[3] if len(version) > 3 else "final"
    if kind == "final":
        return text
    short = {"alpha": "a", "beta": "b"}.get(kind, kind)
    return "%s%s%s" % (text, short, version[4] if len(version) > 4 else "")


def say_begin(django, framework):
    """Report that the run begins: on which Python and Django, by which framework."""
    if framework == "pytest":
        try:
            framework = "pytest %s" % __import__("pytest").__version__
        except Exception:
            pass  # the run itself will fail on it, in pytest's own words
    emit(
        "begin",
        python="%d.%d.%d" % sys.version_info[:3],
        django=version_text(django),
        framework=framework,
        mode=STATE.mode,
        cell=STATE.config.get("cell"),
    )


def belongs(version, series):
    """Return whether a VERSION belongs to a series: "4.2" is two numbers, "2028" is one."""
    wanted = series.split(".")
    return version is not None and [str(part) for part in version[: len(wanted)]] == wanted


def refuse(version):
    """Report that the environment holds another Django than the cell names."""
    found = version_text(version)
    expected = STATE.config.get("expect_django")
    emit("refused", reason="wrong-django", expected=expected, found=found)
    return "djhop: Django %s is expected here, %s was found" % (expected, found or "none")


def check_loaded_django():
    """Return why the Django that was loaded is not the cell's; None where it is, or none is.

    Asked once more after the tests are loaded: a settings module may have changed sys.path.
    """
    expected = STATE.config.get("expect_django")
    version = getattr(sys.modules.get("django"), "VERSION", None)
    if not expected or version is None or belongs(version, expected):
        return None
    return refuse(version)


class Coverage(object):
    """Coverage of this process, through its API; nothing at all where it cannot be had."""

    def __init__(self, config):
        self._config = config
        self._measured = None

    def start(self, suffix=""):
        """Start; `suffix` tells a worker's data file from the one that it will be combined into."""
        config = self._config
        if not config:
            return
        try:
            with warnings.catch_warnings():
                # Python itself may be strict, and coverage is none of the suite's.
                warnings.simplefilter("ignore")
                self._measure(config, suffix)
        except ImportError as error:
            note("coverage could not be imported: %s" % error)
        except Exception as error:
            note("coverage could not be started: %s" % error)

    def _measure(self, config, suffix):
        import coverage

        self._measured = coverage.Coverage(
            data_file=config["data_file"] + suffix,
            config_file=False,
            source=config.get("source") or None,
            omit=config.get("omit") or None,
            branch=bool(config.get("branch")),
        )
        self._measured.start()

    def start_in_worker(self):
        """Start anew in a worker process, forked or fresh, with a data file of its own."""
        if self._measured is not None:
            self._measured.stop()
            self._measured = None
        self.start(_WORKER + str(os.getpid()))

    def save(self):
        """Stop and save, once."""
        measured, self._measured = self._measured, None
        if measured is None:
            return
        try:
            measured.stop()
            measured.save()
        except Exception as error:
            note("coverage could not be saved: %s" % error)

    def save_all(self):
        """Stop and save, with what the workers left; the suite may have removed the directory."""
        measured = self._measured
        if measured is None:
            return
        try:
            os.getcwd()
        except OSError:
            os.chdir(os.sep)
        try:
            measured.stop()
            workers = glob.glob(glob.escape(self._config["data_file"]) + _WORKER + "*")
            if workers:
                measured.combine(workers, strict=False)
        except Exception as error:
            note("coverage of the workers could not be combined: %s" % error)
        self.save()
