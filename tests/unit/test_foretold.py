"""What warnings foretold of a hop: every case against an oracle that was written by itself."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator

import msgspec
import pytest

from djhop.compare.compare import Comparison, compare
from djhop.compare.fingerprints import fingerprint
from djhop.compare.foretold import Foretold, Tally, hop_of, tally, use_id
from djhop.compare.predictions import Prediction
from djhop.matrix import plan as planning
from djhop.matrix.plan import Cell, Hop, Plan
from djhop.results.results import CellResult, Deprecation, Failure, Owner, Pass
from djhop.results.results import Test as Case

OLD, NEW = Cell(django="3.2", python="3.8"), Cell(django="4.2", python="3.8")
PLAN = Plan(cells=(OLD, NEW), path=(OLD, NEW), hops=(Hop(before=OLD, after=NEW, axis="django"),))
PROJECT, THEIRS = Owner("project"), Owner("package", "django-filter")
USE = Deprecation(
    category="RemovedInDjango40Warning",
    message="django.utils.translation.ugettext() is deprecated in favor of gettext().",
    place="app/forms.py:7",
    owner=PROJECT,
    removed_in="4.0",
    in_target=True,
)
GONE = Failure(
    exception="ImportError",
    message="cannot import name 'ugettext' from 'django.utils.translation' (/x/__init__.py)",
    owner=PROJECT,
    place="app/forms.py:1",
)
#: A module of somebody else's that cannot be loaded, for a reason of its own.
DEAD = Failure(exception="OSError", message="no such file", owner=THEIRS)


def cell(where: Cell, *tests: Case, **more: object) -> CellResult:
    ok = all(test.plain in ("passed", "skipped") for test in tests)
    status = "passed" if tests and ok else "failed" if tests else "uncollectable"
    return CellResult(
        **{"id": where.id, "django": where.django, "python": where.python, "status": status}
        | {"tests": tests}
        | more  # type: ignore[arg-type]
    )


def went(name: str, outcome: str, failure: Failure | None = None) -> Case:
    return Case(id=name, strict=outcome, plain=outcome, failure=failure)  # type: ignore[arg-type]


def before(*uses: Deprecation) -> CellResult:
    tests = (went(name, "passed") for name in ("t1", "t2", "t3"))
    return cell(OLD, *tests, deprecations=uses)


def judged(*results: CellResult, plan: Plan = PLAN) -> Comparison:
    return compare(plan, {one.id: one for one in results})


def said(*results: CellResult) -> Foretold:
    found = judged(*results).hops[0].foretold
    assert found is not None
    return found


@dataclasses.dataclass(frozen=True)
class Scene:
    """One use, one cause, and how the cell after the hop went."""

    #: Tests of the use: none where it was seen outside tests.
    tests: tuple[str, ...]
    in_target: bool
    #: What the failure says: that the use's name is gone, that another is, or neither.
    says: str
    #: Where it fails: on the use's line, elsewhere in its file, in another file.
    at: str
    check: bool
    mine: bool
    #: No test runs after the hop.
    dead: bool = False
    #: How t1 goes: it passes, or fails for the cause, as t2 always does.
    first: str = "passed"
    #: A further module cannot be loaded; t3 is skipped.
    module: bool = False
    skipped: bool = False


def cases() -> Iterator[Scene]:
    facts = itertools.product(
        [(), ("t1",), ("t1", "t2", "t3")],
        [True, False],
        ["this", "other", "nothing"],
        ["line", "file", "elsewhere"],
        [True, False],
        [True, False],
    )
    for fact in facts:
        if fact[4] and fact[2] != "nothing":
            continue  # a failed check says what it compared
        yield Scene(*fact, dead=True)
        for first, module, skipped in itertools.product(
            ["passed", "failed"], [True, False], [True, False]
        ):
            yield Scene(*fact, first=first, module=module, skipped=skipped)


def oracle(one: Scene) -> tuple[str, str]:
    """What is true of the use, and of the cause, from the facts alone."""
    all_loaded = not (one.dead or one.module or one.skipped)
    t3 = "skipped" if one.skipped else "passed"
    outcomes = {} if one.dead else {"t1": one.first, "t2": "failed", "t3": t3}
    passes = any(outcomes.get(test) == "passed" for test in one.tests)
    names_it = one.says == "this" and one.mine
    on_line = one.in_target and one.at == "line" and one.says != "other"
    proven = (on_line and not one.check) or (
        names_it and (not one.in_target or one.at in ("line", "file"))
    )
    checks = on_line and one.check and bool(one.tests)
    may_be_of_it = not one.in_target and one.mine
    if proven:
        return "broke", "foretold"
    if passes or (not one.tests and all_loaded and (names_it or not may_be_of_it)):
        use = "did-not-break"
    elif names_it or checks:
        return "broke", "foretold"
    else:
        use = "not-seen"
    if names_it:
        return use, "foretold"
    behind = (
        {"t1", "t2", "t3"} if one.dead else {t for t, how in outcomes.items() if how == "failed"}
    )
    shares_tests = use == "not-seen" and behind <= {*one.tests}
    no_line = use == "not-seen" and not one.tests and may_be_of_it
    return use, "unclear" if checks or shares_tests or no_line else "without"


def play(one: Scene) -> tuple[Deprecation, Failure, CellResult]:
    use = msgspec.structs.replace(USE, tests=one.tests, in_target=one.in_target)
    if not one.in_target:
        use = msgspec.structs.replace(use, place="django/conf/__init__.py:222")
    messages = {
        "this": GONE.message,
        "other": "cannot import name 'url' from 'django.conf.urls' (/x/__init__.py)",
        "nothing": "1 != 2",
    }
    places = {
        "line": use.place,
        "file": f"{use.place.rpartition(':')[0]}:99",
        "elsewhere": "app/views.py:3",
    }
    failure = Failure(
        exception="AssertionError" if one.check else "ImportError",
        message=messages[one.says],
        owner=PROJECT if one.mine else THEIRS,
        place=places[one.at],
    )
    if one.dead:
        return use, failure, cell(NEW, failures=(("plain", failure),))
    first = went("t1", one.first, failure if one.first == "failed" else None)
    third = went("t3", "skipped" if one.skipped else "passed")
    tests = [first, went("t2", "failed", failure), third]
    if one.module:
        tests.append(went("tests.m", "error", DEAD))
    outside = (("tests.m", DEAD),) if one.module else ()
    return use, failure, cell(NEW, *tests, status="failed", failures=outside)


def test_every_case_is_what_the_oracle_says() -> None:
    wrong = []
    seen = set()
    for one in cases():
        use, failure, after = play(one)
        found = said(before(use), after)
        cause = fingerprint(failure)
        (prediction,) = found.predictions
        lists = {"without": found.without_warning, "unclear": found.unclear}
        fate = next((name for name, ids in lists.items() if cause in ids), "foretold")
        told = (prediction.outcome, fate)
        seen.add(told)
        if told != oracle(one):
            wrong.append((one, told, oracle(one)))
        assert (cause in prediction.causes) == (prediction.outcome == "broke"), one
        assert found.tally == tally((found,))
        if one.module:
            assert fingerprint(DEAD) in found.without_warning
    assert wrong[:3] == []
    assert len(seen) == 6, seen  # every pair that can be was met


# Which uses, and which hops.


@pytest.mark.parametrize(
    ("removed_in", "owner", "due"),
    [
        ("4.0", PROJECT, True),
        ("4.2", THEIRS, True),
        ("3.2", PROJECT, False),
        ("5.0", PROJECT, False),
        (None, PROJECT, False),
        ("4.0", Owner("django"), False),
        ("4.0", Owner("python"), False),
    ],
)
def test_a_hop_is_to_break_what_it_reaches(removed_in: str | None, owner: Owner, due: bool) -> None:
    use = msgspec.structs.replace(USE, removed_in=removed_in, owner=owner, tests=("t1",))
    found = said(before(use), cell(NEW, went("t1", "passed")))
    assert [one.use for one in found.predictions] == ([use_id(use)] if due else [])


def test_a_cause_that_was_warned_of_without_its_date_is_unclear() -> None:
    use = msgspec.structs.replace(USE, removed_in=None)
    found = said(before(use), cell(NEW, failures=(("plain", GONE),)))
    assert found.unclear == (fingerprint(GONE),)
    assert found.tally == Tally(unclear=1)


def test_what_nobody_could_warn_of_did_not_break_without_warning() -> None:
    after = cell(NEW, failures=(("plain", GONE),))
    for change in (
        {"passes": (Pass(mode="strict", canary=False), Pass(mode="plain"))},
        {"status": "crashed"},
    ):
        deaf = msgspec.structs.replace(before(), **change)
        assert said(deaf, after).tally == Tally(unclear=1)
    heard = msgspec.structs.replace(before(), passes=(Pass(mode="strict"), Pass(mode="plain")))
    assert said(heard, after).tally == Tally(without_warning=1)


SETTING = msgspec.structs.replace(
    USE,
    message="The USE_L10N setting is deprecated.",
    place="django/conf/__init__.py:222",
    in_target=False,
)


def test_what_another_use_explains_is_not_laid_at_a_settings_door() -> None:
    fine = (went(name, "passed") for name in ("t2", "t3"))
    after = cell(NEW, went("t1", "failed", GONE), *fine, status="failed")
    found = said(before(SETTING, USE), after)
    assert [one.outcome for one in found.predictions] == ["did-not-break", "broke"]
    assert said(before(SETTING), after).predictions[0].outcome == "not-seen"


@pytest.mark.parametrize(
    ("after", "why"),
    [
        (cell(NEW, went("t1", "passed")), "tests vanished"),
        (
            cell(NEW, *(went(t, "passed") for t in ("t1", "t2", "t3")), status="timed-out"),
            "the run after it was cut short",
        ),
    ],
)
def test_what_is_not_there_may_hide_a_use_outside_tests(after: CellResult, why: str) -> None:
    (one,) = said(before(USE), after).predictions
    assert (one.outcome, one.why) == ("not-seen", why)


def test_two_uses_of_one_name_both_broke_with_it() -> None:
    other = msgspec.structs.replace(USE, place="app/models.py:3")
    found = said(before(USE, other), cell(NEW, failures=(("plain", GONE),)))
    assert [one.why for one in found.predictions] == [
        "what it names is gone, and its file fails",
        "what it names is gone",
    ]
    assert found.tally == Tally(broke=2, hit_rate=100.0)


def test_what_hides_behind_a_dead_run_did_neither() -> None:
    other = msgspec.structs.replace(USE, message="url() is deprecated.", place="app/urls.py:9")
    found = said(before(USE, other), cell(NEW, failures=(("plain", GONE),)))
    assert found.tally == Tally(broke=1, not_seen=1, hit_rate=100.0)
    assert found.predictions[1].why == "no test ran after it"


def test_a_test_that_is_renamed_is_the_same_test() -> None:
    use = msgspec.structs.replace(USE, tests=("t[<a object at 0x7f01>]",))
    then = cell(OLD, went("t[<a object at 0x7f01>]", "passed"), deprecations=(use,))
    found = said(then, cell(NEW, went("t[<a object at 0x7f99>]", "passed")))
    assert found.predictions[0].outcome == "did-not-break"


def test_the_first_cell_foretells_what_a_later_hop_does() -> None:
    """Seen on 2.2 only, pending there; a Python step foretells nothing and forgets nothing."""
    first = Cell(django="2.2", python="3.6")
    path = (first, Cell(django="2.2", python="3.8"), OLD, NEW)
    pairs = itertools.pairwise(path)
    steps = [Hop(before=a, after=b, axis="python" if a.django == b.django else "django")
             for a, b in pairs]  # fmt: skip
    plan = Plan(cells=path, path=path, hops=tuple(steps))
    green = (went("t1", "passed"),)
    pending = msgspec.structs.replace(USE, fatal=False)
    results = [
        cell(first, *green, deprecations=(pending,)),
        cell(path[1], *green),
        cell(OLD, *green),
        cell(NEW, failures=(("plain", GONE),)),
    ]
    hops = judged(*results, plan=plan).hops
    assert [hop.foretold and hop.foretold.tally for hop in hops] == [
        Tally(),
        Tally(),
        Tally(broke=1, hit_rate=100.0),
    ]


@pytest.mark.parametrize("status", ["no-python", "infra", "not-run", "unresolvable"])
def test_a_cell_without_a_result_checks_nothing(status: str) -> None:
    found = judged(before(USE), cell(NEW, status=status))
    assert found.hops[0].foretold is None


def test_steps_beside_the_path_do_not_count() -> None:
    hop = msgspec.structs.replace(PLAN.hops[0], on_path=False)
    plan = msgspec.structs.replace(PLAN, hops=(hop,))
    found = judged(before(USE), cell(NEW, failures=(("plain", GONE),)), plan=plan)
    assert found.hops[0].foretold is None


def test_what_a_dead_baseline_dies_of_is_not_this_hops_doing() -> None:
    """Dead on both sides: the prediction came true, but nobody knows what the hop itself broke."""
    then = cell(OLD, failures=(("plain", DEAD),), deprecations=(USE,))
    found = said(then, cell(NEW, failures=(("plain", GONE),)))
    assert found.tally == Tally(broke=1, hit_rate=100.0)
    again = said(then, cell(NEW, failures=(("plain", DEAD),)))
    assert again.tally == Tally(not_seen=1)


def test_the_step_that_reaches_a_series_is_one_of_the_whole_path() -> None:
    far = Cell(django="5.2", python="3.8")
    hop = Hop(before=NEW, after=far, axis="django")
    plan = Plan(cells=(OLD, NEW, far), path=(OLD, NEW, far), hops=(*PLAN.hops, hop))
    chosen = planning.select(plan, (OLD.id,))
    for one in (plan, chosen, planning.select(chosen, (OLD.id,))):
        for series, step in (("4.0", PLAN.hops[0].id), ("5.1", hop.id), ("6.0", ""), (None, "")):
            assert hop_of(msgspec.structs.replace(USE, removed_in=series), one) == step


def test_a_step_to_another_python_is_foretold_by_python() -> None:
    imp = Deprecation(
        category="DeprecationWarning",
        message="the imp module is deprecated in favour of importlib and slated for removal in "
        "Python 3.12; see the module's documentation for alternative uses",
        place="app/load.py:2",
        owner=PROJECT,
        removed_in_python="3.12",
        in_target=True,
    )
    gone = Failure(
        exception="ModuleNotFoundError",
        message="No module named 'imp'",
        owner=PROJECT,
        place=imp.place,
    )
    newer = Cell(django=OLD.django, python="3.12")
    hop = Hop(before=OLD, after=newer, axis="python")
    plan = Plan(cells=(OLD, newer), path=(OLD, newer), hops=(hop,))
    assert hop_of(imp, plan) == hop.id
    found = judged(before(imp, USE), cell(newer, failures=(("plain", gone),)), plan=plan)
    assert found.hops[0].foretold is not None
    assert found.hops[0].foretold.tally == Tally(broke=1, hit_rate=100.0)
    same = msgspec.structs.replace(imp, removed_in_python="3.13")
    assert hop_of(same, plan) == ""


def test_the_hit_rate_counts_what_was_seen_alone() -> None:
    def one(*outcomes: str) -> Foretold:
        made = [Prediction(use="u", outcome=o, why="") for o in outcomes]  # type: ignore[arg-type]
        return Foretold(predictions=tuple(made), without_warning=("a",), unclear=("b", "c"))

    assert tally([one("broke", "did-not-break", "not-seen"), one("did-not-break")]) == Tally(
        broke=1, did_not_break=2, not_seen=1, without_warning=2, unclear=4, hit_rate=33.3
    )
    assert tally([one("not-seen")]).hit_rate is None


def test_an_id_is_of_class_template_place_and_owner() -> None:
    said_at = "object at 0x7f0000000001 is deprecated"
    use = msgspec.structs.replace(USE, message=said_at)
    same = msgspec.structs.replace(use, message=said_at.replace("01", "99"), tests=("t",), when="x")
    assert use_id(use) == use_id(same)
    for change in (
        {"category": "RemovedInDjango41Warning"},
        {"message": "another"},
        {"place": "app/forms.py:8"},
        {"owner": THEIRS},
    ):
        assert use_id(msgspec.structs.replace(use, **change)) != use_id(use)
