"""What a run answers to a bisect, what can be asked of a run, and what cannot."""

from __future__ import annotations

import datetime
from pathlib import Path

import msgspec
import pytest

from djhop import again, blaming
from djhop.bisect import mixing, paragraph
from djhop.bisect.choosing import Runs, Wanted, with_credentials
from djhop.bisect.points import Point
from djhop.bisect.question import Question, answer, of_hop
from djhop.compare.compare import compare
from djhop.errors import ExitCode, UsageError
from djhop.matrix.config import Matrix
from djhop.matrix.plan import Cell, Hop, Plan
from djhop.resolve.request import Request
from djhop.results.reruns import Again, Reruns
from djhop.results.results import CellResult, Failure, Owner, Pass
from djhop.results.results import Test as Case
from djhop.store import blame as records
from djhop.store import record, store
from djhop.store.blame import Blame, Culprit, Tried, Way
from djhop.store.store import RunFolder
from djhop.target.target import Target

OLD, NEW = Cell(django="4.2", python="3.12"), Cell(django="5.2", python="3.12")
HOP = Hop(before=OLD, after=NEW, axis="django")


def failure(message: str = "boom", **more: str) -> Failure:
    return Failure(exception="ValueError", message=message, owner=Owner("project"), **more)


def fine(name: str) -> Case:
    return Case(id=name, strict="passed", plain="passed")


def red(name: str, why: Failure | None = None) -> Case:
    return Case(id=name, strict="failed", plain="failed", failure=why or failure())


def deprecated(name: str) -> Case:
    why = failure("gone in 6.0", warning="RemovedInDjango60Warning")
    return Case(id=name, strict="failed", plain="passed", failure=why)


def cell(*tests: Case, of: Cell = NEW, **more: object) -> CellResult:
    made = CellResult(id=of.id, django=of.django, python=of.python, status="failed", tests=tests)
    return msgspec.structs.replace(made, **more)


def asked(*tests: Case, before: tuple[Case, ...] = (), **more: object) -> Question:
    """The one question of a hop on which `tests` are what comes after."""
    was = before or tuple(fine(test.id) for test in tests) or (fine("a"),)
    (question,) = of_hop(cell(*was, of=OLD, status="passed"), cell(*tests, **more), HOP)
    return question


BROKE = asked(red("a"), red("b"))


def test_the_question_of_a_break_is_its_failure_in_its_tests() -> None:
    assert (BROKE.mode, BROKE.tests, BROKE.hop) == ("plain", ("a", "b"), HOP.id)


@pytest.mark.parametrize(
    ("result", "wanted"),
    [
        (cell(red("a"), red("b")), "bad"),
        (cell(fine("a"), red("b")), "bad"),
        (cell(fine("a"), fine("b"), status="passed"), "good"),
        (cell(deprecated("a"), fine("b"), status="deprecated"), "good"),
        (cell(red("a", failure("other")), fine("b")), "skip"),
        (cell(fine("a"), status="passed"), "skip"),
        (cell(fine("a"), Case(id="b", strict="skipped", plain="skipped")), "skip"),
        (cell(fine("a"), Case(id="b", plain="not-run")), "skip"),
        (cell(status="no-tests", reason="the suite has no tests"), "skip"),
        (cell(status="uninstallable", reason="pillow cannot be built\nall of it"), "skip"),
        (cell(status="timed-out", reason="too long"), "skip"),
    ],
)
def test_what_a_run_answers(result: CellResult, wanted: str) -> None:
    said = answer(BROKE, result)
    assert said.answer == wanted
    assert bool(said.said) == (wanted != "good")
    assert "\n" not in said.said


def test_a_strict_break_is_asked_strictly() -> None:
    question = asked(deprecated("a"), status="deprecated")
    assert question.mode == "strict"
    assert answer(question, cell(deprecated("a"), status="deprecated")).answer == "bad"
    assert answer(question, cell(fine("a"), status="passed")).answer == "good"
    other = Case(id="a", strict="failed", plain="passed", failure=failure("another"))
    assert answer(question, cell(other)).answer == "skip"
    # Nobody knows what the filter would have done.
    assert answer(question, cell(Case(id="a", plain="passed"))).answer == "skip"


def test_a_test_that_failed_otherwise_before_is_good_as_it_was() -> None:
    question = asked(red("a"), before=(red("a", failure("as ever")),))
    assert answer(question, cell(red("a", failure("as ever")), of=OLD)).answer == "good"
    assert answer(question, cell(red("a"))).answer == "bad"
    assert answer(question, cell(red("a", failure("third")))).answer == "skip"


def test_a_test_that_is_expected_to_fail_is_good_though_no_other_was_run() -> None:
    excused = Case(id="a", strict="xfailed", plain="xfailed")
    question = asked(red("a", failure("it passes")), before=(excused,))
    assert answer(question, cell(excused, status="no-tests", reason="none passed")).answer == "good"


def test_a_module_that_loads_is_good_whatever_its_tests_do() -> None:
    why = failure("no module named cgi")
    dead = {"failures": (("tests/test_a.py", why),)}
    module = Case(id="tests/test_a.py", strict="error", plain="error", failure=why)
    (question,) = of_hop(cell(fine("b"), of=OLD), cell(module, fine("b"), **dead), HOP)
    assert (question.tests, question.asked) == ((), ("tests/test_a.py",))
    assert answer(question, cell(module, **dead)).answer == "bad"
    assert answer(question, cell(red("c"))).answer == "good"
    assert answer(question, cell(status="no-tests", reason="no tests")).answer == "skip"


def test_a_dead_run_has_the_failure_of_its_death() -> None:
    why = failure("no url")
    dead = {"status": "uncollectable", "failures": (("plain", why),)}
    question = asked(before=(fine("a"), fine("b")), **dead)
    assert question.tests == ("a", "b")
    assert answer(question, cell(**dead)).answer == "bad"
    assert (
        answer(question, cell(status="uncollectable", failures=(("plain", failure()),))).answer
        == "skip"
    )


def test_a_crash_is_known_by_its_kind_whatever_test_it_ends_in() -> None:
    def crashed(test: str) -> dict[str, object]:
        run = Pass(mode="plain", died="crash", running=test)
        return {"status": "crashed", "reason": f"the process died in {test}", "passes": (run,)}

    question = asked(Case(id="a", plain="crashed"), **crashed("a"))
    assert answer(question, cell(Case(id="b", plain="crashed"), **crashed("b"))).answer == "bad"


def test_a_clean_hop_has_no_question() -> None:
    assert of_hop(cell(fine("a"), of=OLD), cell(fine("a")), HOP) == ()


# A run on disk


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    plan = Plan(cells=(OLD, NEW), path=(OLD, NEW), hops=(HOP,))
    now = datetime.datetime(2026, 11, 21, tzinfo=datetime.UTC)
    made = store.create(tmp_path, "run", now=now)
    results = {
        OLD.id: cell(fine("a"), fine("b"), fine("c"), red("d"), fine("e"), of=OLD),
        NEW.id: cell(
            *(red("a"), red("b"), red("c", failure("other")), red("d")),
            Case(id="e", strict="skipped", plain="skipped", skip_reason="not today"),
        ),
    }
    begun = record.begin(
        made.name, Target(root=str(tmp_path), name="t", sources=()), Matrix(), plan, started=now
    )
    made.write_run(record.finish(begun, results, compare(plan, results)))
    for result in results.values():
        made.write_cell(result)
        lines = f"# Forced: no.\ndjango=={result.django}.1 \\\n    --hash=sha256:00\n"
        (made.cell(result.id).path / "requirements.txt").write_text(lines)
    return made


def test_without_a_name_the_worst_cause_is_asked(folder: RunFolder) -> None:
    (chosen,) = Runs(folder).choose(Wanted())
    assert chosen.question.tests == ("a", "b")
    assert chosen.before.lock.packages == {"django": "4.2.1"}
    assert chosen.after.lock.django_release == "5.2.1"


def test_of_a_hop_every_cause_is_asked_worst_first(folder: RunFolder) -> None:
    for name in ("4.2..5.2", HOP.id):
        found = [one.question.tests for one in Runs(folder).choose(Wanted(hop=name))]
        assert found == [("a", "b"), ("c",)]
    assert [one.question.tests for one in Runs(folder).every()] == [("a", "b"), ("c",)]


def test_what_the_run_found_to_be_flaky_is_not_asked(folder: RunFolder) -> None:
    ends = ("passed", "failed")
    runs = [Again(test=t, side="after", how="alone", outcome=end) for t in "ab" for end in ends]
    folder.write_reruns(Reruns(before=OLD.id, after=NEW.id, runs=tuple(runs)))
    assert [one.question.tests for one in Runs(folder).every()] == [("c",)]
    judged = compare(folder.load().plan, folder.results(), reruns=folder.reruns()).hops
    folder.write_run(msgspec.structs.replace(folder.load(), hops=judged))
    with pytest.raises(UsageError, match="a was found to be flaky"):
        list(Runs(folder).choose(Wanted(test="a")))


def test_a_cause_is_known_by_how_its_id_begins_and_a_test_is_asked_alone(
    folder: RunFolder,
) -> None:
    (chosen,) = Runs(folder).choose(Wanted(cause=BROKE.cause[:6]))
    assert chosen.question.tests == ("a", "b")
    (chosen,) = Runs(folder).choose(Wanted(test="b"))
    assert (chosen.question.cause, chosen.question.tests) == (BROKE.cause, ("b",))


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (Wanted(cause="123456"), "no cause '123456'"),
        (Wanted(test="nowhere"), "no test 'nowhere'"),
        (Wanted(test="d"), "d does not break"),
        (Wanted(test="e"), "e is gone or skipped"),
        (Wanted(hop="3.2..4.2"), "no hop '3.2..4.2'"),
    ],
)
def test_what_is_not_there_is_said(folder: RunFolder, wanted: Wanted, said: str) -> None:
    with pytest.raises(UsageError) as error:
        tuple(Runs(folder).choose(wanted))
    assert said in str(error.value)


def test_since_an_earlier_run_the_same_cells_are_compared(
    folder: RunFolder, tmp_path: Path
) -> None:
    now = datetime.datetime(2026, 11, 20, tzinfo=datetime.UTC)
    earlier = store.create(tmp_path, "earlier", now=now)
    earlier.write_run(msgspec.structs.replace(folder.read_run(), name=earlier.name))
    earlier.write_cell(cell(fine("a"), fine("b"), fine("c"), fine("d"), status="passed"))
    (earlier.cell(NEW.id).path / "requirements.txt").write_text("django==5.2\n")
    (chosen,) = Runs(folder, earlier).choose(Wanted())
    # What was red in both cells of the later run is to be explained, too.
    assert chosen.question.tests == ("a", "b", "d")
    assert chosen.before.lock.packages == {"django": "5.2"}


def test_a_lock_without_its_credentials_cannot_be_made_again(folder: RunFolder) -> None:
    path = folder.cell(OLD.id).path / "requirements.txt"
    path.write_text("django==4.2.1\nshop @ git+https://****@host/shop\n")
    (chosen,) = Runs(folder).choose(Wanted())
    with pytest.raises(UsageError, match="credentials"):
        with_credentials(chosen.before, ())
    named = ("shop @ git+https://me:open@host/shop",)
    assert "me:open@" in with_credentials(chosen.before, named).lock.pins[1]


# The record and its words


def test_a_record_is_used_again_for_the_same_files_and_packages_alone(tmp_path: Path) -> None:
    made = Blame(
        id="1", cause="c", mode="plain", hop=HOP.id, exception="E", message="m", inputs="x"
    )
    records.keep(tmp_path, made)
    assert records.kept(tmp_path, "1", "x") == made
    assert records.kept(tmp_path, "1", "y") is None
    assert records.kept(tmp_path, "2", "x") is None


def blamed(*ways: Way, **more: object) -> Blame:
    made = Blame(
        id="1",
        cause="c",
        mode="plain",
        hop=HOP.id,
        exception="ValueError",
        message="boom",
        place="shop/views.py:3",
        tests=("a",),
        behind=2,
        outcome="found",
        ways=ways,
        tried=(Tried(key="1", label="1", answer="good"), Tried(key="2", label="2", answer="bad")),
        reproduce="djhop bisect",
    )
    return msgspec.structs.replace(made, **more)


DJANGO = Culprit(kind="django", name="Django", good="5.0.3", bad="5.0.4", times=3, link="https://d")
PYTZ = Culprit(kind="package", name="pytz", good="1", bad="3", skipped=("2: no",), times=3)


def test_the_paragraph_says_what_and_on_what_evidence() -> None:
    assert paragraph.text(blamed(Way(culprits=(DJANGO,)))) == (
        "ValueError: boom at shop/views.py:3 (2 tests, e.g. a). Django 5.0.3 is the last good "
        "release and Django 5.0.4 the first bad. https://d Evidence: 2 runs of 1 test (1 good, "
        "1 bad), last good and first bad 3 times each with one answer. Again: djhop bisect"
    )


def test_the_paragraph_says_what_was_not_judged_and_what_goes_together() -> None:
    said = paragraph.answer(blamed(Way(culprits=(PYTZ,))))
    assert "what is between could not be judged (2: no)" in said
    both = paragraph.answer(blamed(Way(culprits=(DJANGO, PYTZ))))
    assert both.startswith("It takes Django and pytz together; none of them is seen to be enough")
    either = paragraph.answer(blamed(Way(culprits=(DJANGO,)), Way(culprits=(PYTZ,))))
    assert either.endswith("Each of these is enough by itself.")


@pytest.mark.parametrize("outcome", ["same", "flaky", "stopped"])
def test_what_found_nothing_is_incomplete_and_says_why(outcome: str) -> None:
    blame = blamed(outcome=outcome, reason="so it is")
    assert "so it is" in paragraph.text(blame)
    assert blaming.exit_code([blamed(), blame]) == ExitCode.INCOMPLETE
    assert blaming.exit_code([blamed()]) == ExitCode.OK


def test_the_matrix_of_a_run_is_read_from_its_record(folder: RunFolder) -> None:
    matrix = Matrix(name="m", test=("pytest",), set_env={"A": "b"}, steps=("4.2", "5.2"))
    run = folder.read_run()
    settings = msgspec.json.decode(msgspec.json.encode(matrix))
    told = msgspec.structs.replace(run, matrix=record.RunMatrix(name="m", settings=settings))
    assert again.matrix_of(told, Path("/t"), "run.json") == matrix


# Locks of points

REQUEST = Request(
    requirements=("Django[argon2]>=4.2", "pytz<2025", "shop @ https://host/shop.whl"),
    django="5.0",
    python="3.12",
    interpreter_path="/python",
)
POINT = Point(python="3.12", packages={"django": "5.0.3", "asgiref": "3.6.0", "pytz": "2024.1"})


def test_everything_is_held_then_what_django_requires_is_free_then_django_is_forced() -> None:
    held, freed, forced = mixing.attempts(REQUEST, POINT, {"newcomer": "1"})
    assert held.requirements == {
        "project.in": ("pytz", "shop @ https://host/shop.whl"),
        "django.in": ("django[argon2]==5.0.3",),
    }
    assert held.constraints == ("asgiref==3.6.0", "pytz==2024.1")
    assert held.seeds == ("asgiref==3.6.0", "newcomer==1", "pytz==2024.1")
    assert (freed.constraints, freed.overrides) == ((), ())
    assert freed.seeds == held.seeds
    assert forced.overrides == ("django[argon2]==5.0.3",)
