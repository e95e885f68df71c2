"""A cap that no allowed move lifts: the packages are forced, and the tests say what it is worth."""

from __future__ import annotations

from pathlib import Path

import djhop_cli
import pytest

pytestmark = pytest.mark.needs_python("3.10")

OLD, NEW = "py3.10-django3.2", "py3.10-django4.2"
#: What django-celery-beat 2.2.1 allows is Django<4.0.
FILES = {
    "requirements.txt": "Django==3.2.9\ndjango-celery-beat==2.2.1\n",
    "settings.py": (
        'SECRET_KEY = "x"\nUSE_TZ = True\nDEFAULT_AUTO_FIELD = "django.db.models.AutoField"\n'
        'INSTALLED_APPS = ["django_celery_beat"]\n'
        'DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}\n'
    ),
    "manage.py": (
        "import os, sys\nfrom django.core.management import execute_from_command_line\n"
        'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")\n'
        "execute_from_command_line(sys.argv)\n"
    ),
    "test_schedules.py": (
        "import datetime\nfrom django.test import TestCase\n"
        "from django_celery_beat.models import IntervalSchedule\n"
        "class Schedules(TestCase):\n"
        "    def test_interval(self):\n"
        "        made = IntervalSchedule.from_schedule(self.every())\n"
        "        self.assertEqual(made.every, 10)\n"
        "    def every(self):\n"
        "        from celery.schedules import schedule\n"
        "        return schedule(datetime.timedelta(seconds=10))\n"
    ),
}
BROKEN = (
    "    def test_of_the_old_days(self):\n"
    "        from django.utils.encoding import force_text\n"
    "    def test_more_of_it(self):\n"
    "        from django.utils.translation import ugettext\n"
)


@pytest.mark.parametrize(
    ("more", "words"), [("", "tests pass when forced"), (BROKEN, "2 tests break when forced")]
)
def test_a_frozen_hop_is_blocked_and_says_what_the_tests_do(
    tmp_path: Path, shared: Path, more: str, words: str
) -> None:
    target = tmp_path / "shop"
    target.mkdir()
    for name, text in FILES.items():
        (target / name).write_text(text + (more if name.startswith("test_") else ""))
    settings = {
        "from": "3.2",
        "to": "4.2",
        "python": "3.10",
        "steps": ["3.2", "4.2"],
        "policy": "frozen",
        "test": ["manage.py", "test"],
        "settings": "settings",
    }
    done = djhop_cli.run(
        target,
        djhop_cli.matrix_file(tmp_path / "m.toml", settings),
        cache=shared / "cache-forced",
        out=tmp_path / "runs",
    )
    hop = done.hop(OLD, NEW)
    assert done.returncode == 3
    assert done.cells[NEW]["forced"]
    assert hop["verdict"] == "blocked"
    assert hop["reason"] == f"django-celery-beat 2.2.1 requires django>=2.2,<4.0; {words}"
    report = (done.folder / "report.txt").read_text()
    assert "    2.5.0 is its first release to allow this Django\n" in report
    (blocker,) = hop["blockers"]
    assert blocker["chain"] == ["django-celery-beat==2.2.1", "django>=2.2,<4.0"]
    assert hop["moves"][0]["package"] == "django"
    assert {m["package"] for m in hop["moves"]} <= {"django", "asgiref", "sqlparse", "pytz"}
    lock = (done.folder / "cells" / NEW / "requirements.txt").read_text()
    assert lock.startswith("# Forced: django-celery-beat 2.2.1 requires django>=2.2,<4.0.\n")
    assert "django-celery-beat==2.2.1 \\\n    --hash=sha256:" in lock
