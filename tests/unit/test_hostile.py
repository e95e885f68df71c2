"""What a target prints and names is hostile: in no output does any of it take effect."""

from __future__ import annotations

import datetime
import functools
import re
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import counting
import many
import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import djhop
from djhop import cli, console, dryrun, news, releases
from djhop.baseline import words
from djhop.baseline.lines import Line
from djhop.baseline.ratchet import Checked
from djhop.bisect import paragraph
from djhop.compare.queries import Grew, Queries
from djhop.deps.answers import Deps, First, HopDeps
from djhop.errors import InfraError, UsageError
from djhop.fixes.proof import CauseFixed, Changed, Fix, NextCause
from djhop.history import asking
from djhop.history.since import Burn, CellSince, Since, Slower, Still, Tests, Wavering
from djhop.matrix import service
from djhop.matrix.config import Matrix
from djhop.matrix.plan import Cell, Plan
from djhop.matrix.service import Service
from djhop.paired import Paired
from djhop.peels.layers import Layer, Peel, Seen
from djhop.readiness import written
from djhop.readiness.judge import Asked, Readiness, judge
from djhop.reports import (
    blame,
    deps,
    fixes,
    history,
    json,
    markdown,
    outputs,
    peels,
    planned,
    reds,
    screen,
    uses,
    versus,
    versus_text,
)
from djhop.reports import text as whole_text
from djhop.reports.html import page
from djhop.resolve.blockers import Blocker
from djhop.resolve.moves import moves
from djhop.resolve.order import Order, Step
from djhop.results import foreign, junit
from djhop.results.results import CellResult, Owner
from djhop.results.results import Test as Case
from djhop.results.steps import Crossing
from djhop.results.steps import Step as StepDone
from djhop.store import store
from djhop.store.blame import Blame, Culprit, Tried, Way
from djhop.store.record import Run
from djhop.store.store import RunFolder
from djhop.target.target import Suite, Target

#: Each does something where it is obeyed: in a terminal, a page, XML, or the log of a CI.
HOSTILE = (
    "::set-output name=a::b",
    "\n::add-mask::pwned",
    "\r\n \t::stop-commands::pwned",
    "##[add-mask]pwned",
    "##vso[task.setvariable variable=x]pwned",
    "##teamcity[buildStatus status='SUCCESS']",
    "section_start:1:pwned\r\x1b[0K",
    "%0A::error::pwned",
    "\x1b]0;pwned\x07\x1b[2J\x9b31m\x1b[8m",
    "\u202egnp.exe\u2066\u200b\ufeff\u2028\x85\ud800",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "]]><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]>&b;",
    "![x](https://evil.example/x.png) [x](javascript:x) @everyone #1",
    "```\n`| a | b |\n<!-- -->",
    "../../../../etc/passwd",
    "$(touch pwned); `touch pwned` && 'touch' \"pwned\" {0} {{x}}",
)
EVERY = "".join(HOSTILE)
#: All at once; and those that only work where a text begins, each by itself.
TEXTS = (EVERY, *HOSTILE[:3], "".join(reversed(HOSTILE[3:])))
#: Texts that others of djhop's own look up: they are checked when they are read, or made by djhop.
OWN = frozenset({
    *("id", "before", "after", "hop", "cell", "cause", "causes", "django", "python", "started"),
    *("ends", "path", "cells", "prerequisites", "use", "example", "members"),
})  # fmt: skip
STEERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


def poisoned(value: Any, nasty: str) -> Any:
    """The same, but every text in it that a target can choose is `nasty`."""
    if isinstance(value, msgspec.Struct):
        changes = {}
        for field in msgspec.structs.fields(value):
            now = getattr(value, field.name)
            if field.name in OWN:
                continue
            if field.type is str:
                changes[field.name] = nasty
            elif field.type == tuple[str, ...]:
                changes[field.name] = (nasty, f"{nasty}2")
            else:
                changes[field.name] = poisoned(now, nasty)
        return msgspec.structs.replace(value, **changes)
    if isinstance(value, Owner):
        return Owner(value.kind, nasty)
    if type(value) is tuple:
        return tuple(poisoned(item, nasty) for item in value)
    if isinstance(value, dict):
        return {key: poisoned(item, nasty) for key, item in value.items()}
    return value


@functools.cache
def a_run(nasty: str) -> tuple[Run, dict[str, CellResult]]:
    """A run with every kind of outcome, as hostile as a target can make it."""
    run, results = many.every_kind()
    found = {}
    for name, one in results.items():
        tests = tuple(
            msgspec.structs.replace(test, id=f"{number}{nasty}")
            for number, test in enumerate(poisoned(one.tests, nasty))
        )
        found[name] = msgspec.structs.replace(poisoned(one, nasty), tests=tests)
    plan = many.finished(run.plan, found, name=nasty)
    made = poisoned(plan, nasty)
    used = tuple(msgspec.structs.replace(use, in_target=True) for use in made.deprecations)
    return msgspec.structs.replace(made, plan=run.plan, deprecations=used), found


def a_versus(nasty: str) -> tuple[versus.Versus, Run]:
    cells = Cell(django="4.2", python="3.12"), Cell(django="5.0", python="3.12")
    runs = []
    for outcome in ("passed", "failed"):
        shot = poisoned(many.failure(1), nasty) if outcome == "failed" else None
        test = msgspec.convert(
            {"id": nasty, "strict": outcome, "plain": outcome, "failure": shot}, Case,
            from_attributes=True,
        )  # fmt: skip
        results = {cell.id: many.result(cell, outcome, (test,), reason=nasty) for cell in cells}
        made = many.finished(many.plan_of(cells), results, name=nasty)
        runs.append((msgspec.structs.replace(made, name=nasty), results))
    (before, was), (after, now) = runs
    return versus.compare(before, after, was, now), after


def a_fix(nasty: str) -> Fix:
    hop = many.every_kind()[0].hops[0]
    cause = CauseFixed(cause="1", behind=2, repaired=1)
    owner = Owner("package", nasty)
    following = NextCause(cause="1", exception=nasty, message=nasty, owner=owner, tests=1)
    said = {"id": hop.id, "hop": hop.id, "before": hop.before, "after": hop.after, "behind": 2}
    return Fix(
        **said, fixer=nasty, causes=(cause,), repaired=1, patch=nasty, only=(nasty,),
        broke_after=(nasty,), broke_before=(nasty,), next=(following,),
        changed=(Changed(path=nasty, added=1, removed=1),), skipped=((nasty, nasty),),
    )  # fmt: skip


def a_peel(nasty: str) -> Peel:
    seen = Seen(cause="1", exception=nasty, message=nasty, owner=Owner("package", nasty),
                place=nasty, tests=1, tried=(nasty,))  # fmt: skip
    layer = Layer(seen=seen, how="left-out", what=nasty)
    return Peel(id="py3.12-django5.2", status="failed", layers=(layer,), left=(seen,),
                still=(nasty,), ended="failed", reason=nasty)  # fmt: skip


def a_blame(nasty: str) -> Blame:
    one = Culprit(kind="package", name=nasty, good=nasty, bad=nasty, skipped=(nasty,),
                  along=(nasty,), link=nasty)  # fmt: skip
    tried = Tried(key="1", label=nasty, answer="skip", said=nasty)
    made = Blame(
        id="1", cause="1", mode="plain", hop="h", exception=nasty, message=nasty, place=nasty,
        tests=(nasty,), behind=1, outcome="found", ways=(Way(culprits=(one,)),), tried=(tried,),
        reproduce=nasty,
    )  # fmt: skip
    return msgspec.structs.replace(made, text=paragraph.text(made), said=paragraph.answer(made))


def some_deps(nasty: str) -> Deps:
    (move,) = moves({nasty: "1"}, {nasty: nasty}, {nasty: nasty})
    blocker = Blocker(package=nasty, version=nasty, constraint=nasty, chain=(nasty,) * 3,
                      first_allowing=nasty)  # fmt: skip
    hop = HopDeps(
        before="py3.9-django3.2", after="py3.9-django4.2", axis="django", state="forced",
        django=("3.2.25", "4.2.30"), python=("3.9", "3.9"), reason=nasty, hint=nasty,
        built=(nasty,), blockers=(blocker,),
        order=Order(today=(Step(moves=(move,), along=(move,)),), hop=(move,), along=(move,),
                    because={nasty: nasty}),
    )  # fmt: skip
    first = First(cell="py3.9-django3.2", state="none", reason=nasty, moves=(move,))
    return Deps(target=nasty, root=nasty, path=(first.cell, hop.after), first=first,
                requirements={nasty: nasty}, hops=(hop,), notes=(nasty,))  # fmt: skip


def a_plan(nasty: str) -> tuple[Any, ...]:
    target = Target(root=nasty, name=nasty, sources=(), notes=(nasty,), django="4.2",
                    suite=Suite(kind="pytest", argv=(nasty,), settings=nasty))  # fmt: skip
    return target, many.every_kind()[0].plan, {}, releases.load()


def a_list(nasty: str) -> Checked:
    line = Line(hop="a..b", kind="breaks", cause="c", about=nasty)
    lines = (line,)
    return Checked(new=lines, fixed=lines, known=lines, unchecked={line: nasty},
                   unjudged={"a..b": nasty})  # fmt: skip


def a_since(nasty: str) -> Since:
    tests = Tests(total=9, ids=(nasty, f"{nasty}2"))
    cell = CellSince(
        id="py3.12-django5.0",
        run=nasty,
        before="passed",
        after="failed",
        broke=tests,
        vanished=tests,
        fixed=tests,
        moved=(nasty, nasty),
        why="moved",
        most=1.0,
    )
    still = Still(started=nasty, run=nasty, revision=nasty, tests=tests, cells=(nasty,))
    return Since(
        nights=2, run=nasty, started=nasty, revision=nasty, revision_now=nasty, window=2,
        cells=(cell,), still=(still,), strip_nights=(nasty,) * 2, burn_nights=(nasty,) * 2,
        flaky=(Wavering(id=nasty, cell=nasty, times=1, nights=1),),
        slower=(Slower(id=nasty, cell=nasty, seconds=1.0, most=1.0),),
        strips={"py3.12-django5.0": {nasty: nasty}},
        burn=tuple(Burn(hop=hop.id, breaks=(1, 0), deprecations=(1, None))
                   for hop in many.every_kind()[0].hops),
    )  # fmt: skip


def remembered(nasty: str) -> Run:
    return msgspec.structs.replace(a_run(nasty)[0], since=a_since(nasty))


def some_nights(nasty: str) -> str:
    turn = asking.Turn(started=nasty, run=nasty, revision=nasty, what=nasty, cause=nasty,
                       label=nasty)  # fmt: skip
    fared = asking.Fared(line=nasty, name=nasty, label=nasty, place=nasty, strip=nasty,
                         turns=(turn,), earlier=1)  # fmt: skip
    cell = asking.CellNight(line=nasty, started=nasty, run=nasty, revision=nasty, status=nasty,
                            tests=1, seconds=1.0, coverage=None, moved=(nasty,))  # fmt: skip
    one = asking.NightLine(line=nasty, started=nasty, run=nasty, revision=nasty,
                           cells={nasty: 1}, breaks=1)  # fmt: skip
    return (
        history.subjects((fared,), width=80) + history.cell(nasty, (cell,)) + history.nights((one,))
    )


def an_answer(nasty: str) -> Readiness:
    """What `djhop ready` says of a run in which everything is hostile."""
    run = msgspec.structs.replace(a_run(nasty)[0], fixes=(a_fix(nasty),))
    slow = Paired(hop=run.hops[0].id, reason=nasty)
    grew = Queries(tests=1, more=1, grew=(Grew(test=nasty, connection=nasty, before=1, after=2),))
    crossing = Crossing(before=run.hops[0].before, after=run.hops[0].after, order=nasty,
                        steps={"upgrade": StepDone(status="failed", reason=nasty)})  # fmt: skip
    hops = tuple(msgspec.structs.replace(hop, queries=grew, crossing=crossing) for hop in run.hops)
    run = msgspec.structs.replace(run, hops=hops, performance=(slow,))
    asked = Asked(goal=run.plan.path[-1].django, day=datetime.date(2026, 11, 21))
    return judge(run, releases.load(), asked)


def html(nasty: str, since: Since | None = None) -> str:
    run, results = a_run(nasty)
    run = msgspec.structs.replace(run, since=since)
    return page.compose(run, results, lambda _: {nasty: frozenset({1})})


def progress(nasty: str) -> str:
    result = a_run(nasty)[1]["py3.10-django4.1"]
    result = msgspec.structs.replace(result, passes=(), notes=(nasty,))
    events = (
        news.Said(text=nasty),
        news.Command(cell=result.id, command=nasty),
        news.Finished(result=result, folder="none"),
    )
    return "\n".join(console.printable(line) for line in console.lines(events, verbose=True))


def reds_of(nasty: str) -> str:
    """What a watch says of each cell."""
    run, results = a_run(nasty)
    return "\n".join(reds.text(one, run, width=200, color=False) for one in results.values())


#: Every output that there is, made of texts a target chose.
OUTPUTS: dict[str, Callable[[str], str]] = {
    **{
        form: partial(lambda form, nasty: counting.made(form, a_run(nasty)), form)
        for form in (*outputs.FORMS, *outputs.JUNIT)
    },
    "text on a screen": lambda nasty: screen.render(a_run(nasty)[0]),
    "html": html,
    "html since": lambda nasty: html(nasty, a_since(nasty)),
    "text since": lambda nasty: whole_text.render(remembered(nasty)),
    "screen since": lambda nasty: screen.render(remembered(nasty)),
    "markdown since": lambda nasty: markdown.render(remembered(nasty)),
    "history": some_nights,
    "progress": progress,
    "watch": reds_of,
    "plan": lambda nasty: planned.text(*a_plan(nasty)),
    "plan --json": lambda nasty: planned.as_json(*a_plan(nasty)),
    "deps": lambda nasty: deps.text(some_deps(nasty)),
    "deps --json": lambda nasty: deps.as_json(some_deps(nasty)),
    "deprecations": lambda nasty: uses.text(a_run(nasty)[0]),
    "deprecations --json": lambda nasty: uses.as_json(a_run(nasty)[0]),
    "deprecations --format lines": lambda nasty: uses.lines(a_run(nasty)[0], lambda _: None),
    "diff": lambda nasty: versus_text.text(*a_versus(nasty)),
    "diff, markdown": lambda nasty: versus_text.markdown(*a_versus(nasty)),
    "diff, json": lambda nasty: versus_text.as_json(a_versus(nasty)[0]),
    "fix": lambda nasty: fixes.text(a_run(nasty)[0], (a_fix(nasty),), Path("run")),
    "fix, none": lambda nasty: fixes.text(a_run(nasty)[0], (), Path("run")),
    "fix --json": lambda nasty: json.flat((a_fix(nasty),)),
    "peel": lambda nasty: peels.text(a_run(nasty)[0], (a_peel(nasty),)),
    "peel --json": lambda nasty: json.flat((a_peel(nasty),)),
    "bisect": lambda nasty: blame.text((a_blame(nasty),)),
    "bisect --json": lambda nasty: blame.as_json((a_blame(nasty),)),
    "ready": lambda nasty: written.text(an_answer(nasty)),
    "ready, markdown": lambda nasty: written.markdown(an_answer(nasty)),
    "ready, html": lambda nasty: written.html(an_answer(nasty)),
    "ready --json": lambda nasty: written.as_json(an_answer(nasty)),
    "baseline check": lambda nasty: words.checked(a_list(nasty), {"c": nasty}, ""),
    "baseline record": lambda nasty: words.written(a_list(nasty), nasty, added=True),
    "run with fixes and peels": lambda nasty: markdown.render(
        msgspec.structs.replace(a_run(nasty)[0], fixes=(a_fix(nasty),), peels=(a_peel(nasty),))
    ),
}
#: The lines of this one are commands: its own.
COMMANDS = "github-annotations"
OWN_COMMAND = re.compile(r"::(error|warning|notice)( [a-z]+=[^:]*)?::")


def obeyed(text: str, name: str) -> Iterator[str]:
    """What in an output a terminal, a browser or the log of a CI would act on."""
    yield from STEERS.findall(text)
    yield from re.findall(r"##\w*\[", text)
    lines = [line for line in text.splitlines() if line.lstrip().startswith("::")]
    yield from (line for line in lines if name != COMMANDS or not OWN_COMMAND.match(line))
    if name in ("html", "ready, html", "svg", "junit", "gitlab-junit"):
        yield from re.findall(r"<script>alert|<img |<!DOCTYPE a|<!ENTITY", text)
    if "markdown" in name or name in ("github-summary", "github-comment"):
        code = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)")
        outside = code.sub("", re.sub(r"\\`", "", text))
        yield from re.findall(r"<script|<img|(?<!\\)!\[x|(?<!\\)\[x\]\(|@everyone", outside)


@pytest.mark.parametrize("name", OUTPUTS)
def test_nothing_from_a_target_takes_effect(name: str) -> None:
    whole = OUTPUTS[name](EVERY)
    assert re.search("set-output|evil.example", whole) or name in ("svg", "badge"), "it is told"
    whole.encode("utf-8")
    for nasty in TEXTS:
        assert list(obeyed(OUTPUTS[name](nasty), name)) == [], ascii(nasty)


# What djhop says of an error quotes files, uv and the target.


@pytest.mark.parametrize("kind", [UsageError, InfraError, RuntimeError])
def test_no_error_is_obeyed_and_none_tells_a_secret(
    kind: type[Exception],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "hunter2hunter2")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    secret = f"{EVERY} hunter2hunter2 https://me:hunter3@example.com/simple"

    def fails(*_: object, **__: object) -> None:
        raise (
            kind(secret, hint=secret) if issubclass(kind, djhop.errors.DjhopError) else kind(secret)
        )

    monkeypatch.setattr(cli.cli, "main", fails)
    with pytest.raises(SystemExit):
        cli.main(["run"])
    told = capsys.readouterr().err
    assert "pwned" in told
    assert list(obeyed(told, "stderr")) == []
    for text in (told, *(path.read_text("utf-8") for path in tmp_path.glob("*.log"))):
        assert "hunter" not in text


def test_a_dry_run_shows_no_secret_of_the_matrix() -> None:
    matrix = Matrix(
        name="x",
        only=("tests",),
        before=("load --password hunter2hunter2",),
        set_env={"DB_PASS": "hunter2hunter2"},
        service={"db": Service(start="serve hunter4hunter4", ready="ask",
                               env={"TOKEN": "hunter4hunter4"})},
    )  # fmt: skip
    target = Target(root="/shop", name="shop", sources=(), suite=Suite(kind="pytest", argv=()))
    said = list(dryrun.lines(Plan(cells=(), path=(), hops=()), target, matrix, {}, {},
                             uv="uv", args=()))  # fmt: skip
    assert "serve ****" in said
    assert "hunter" not in "\n".join(said)


# XML that somebody else has written.

BOMB = "".join(f"<!ENTITY e{n} '{f'&e{n - 1};' * 10 if n else 'x' * 10}'>" for n in range(12))


@pytest.mark.parametrize(
    "declared",
    [BOMB, "<!ENTITY e11 SYSTEM 'file:///etc/hostname'>", "<!ENTITY % e SYSTEM 'x'> %e;"],
)
def test_no_entity_is_expanded(declared: str, tmp_path: Path) -> None:
    path = tmp_path / "junit.xml"
    case = "<testsuite><testcase classname='a' name='b'>&e11;</testcase></testsuite>"
    path.write_text(f"<!DOCTYPE testsuite [{declared}]>{case}")
    assert junit.count(path) is None
    assert foreign.names(path) is None
    path.write_text(case.replace("&e11;", ""))
    assert junit.count(path) == 1


# Names become neither paths nor words of a shell.

names = st.text(max_size=20) | st.lists(
    st.sampled_from(("..", "/", "\\", "\0", "py3.12-django5.2", "~", "-", "\n", ".", "a", "$(a)")),
    max_size=6,
).map("".join)


@given(names, names)
@example("../..", "py3.12-django5.2/../..")
@example("py3.12-django5.2\n", "/etc")
@settings(max_examples=50)
def test_no_name_leads_out_of_its_folder(one: str, other: str) -> None:
    root = Path("/runs/one")
    folder = RunFolder(root)
    for path in (lambda: folder.cell(one).path, lambda: folder.hop(f"{one}..{other}")):
        try:
            found = path()
        except UsageError:
            continue
        assert found.parent.parent == root and found.name not in ("..", ".", "")
        assert re.fullmatch(r"[\w.-]+", found.name, re.ASCII)
    wrong = [why for _, why, _ in service.wrong({one: Service(start="a", ready="a")}) if why]
    assert wrong or re.fullmatch(r"[\w-]+", one, re.ASCII)


@given(names)
@example("../../x")
@settings(max_examples=20)
def test_a_run_lands_in_its_folder_whatever_it_is_called(name: str) -> None:
    with tempfile.TemporaryDirectory() as out:
        made = store.create(Path(out), name, now=datetime.datetime.now(datetime.UTC))
        assert made.path.parent == Path(out)
        assert [path.name for path in Path(out).iterdir()] == [made.name]
        assert re.fullmatch(r"[a-z0-9-]+", made.name)


SOURCE = Path(djhop.__file__).parent
#: Whoever calls one of these hands a text to a shell.
SHELL = re.compile(
    r"\bshell\s*=(?!=)|os\.system|\bpopen\(|getoutput|getstatusoutput|create_subprocess_shell|os\.spawn"
)
STARTS = re.compile(r"subprocess\.(?:Popen|run|call|check_\w+)\(|from subprocess|create_subprocess")
#: The only modules that start processes; the argv of each is a tuple.
STARTERS = {f"processes/{name}.py" for name in ("process", "background", "foreground", "identity")}


def test_no_shell_is_ever_used() -> None:
    texts = {
        path.relative_to(SOURCE).as_posix(): path.read_text("utf-8")
        for path in SOURCE.rglob("*.py")
    }
    assert [name for name, text in texts.items() if SHELL.search(text)] == []
    assert {name for name, text in texts.items() if STARTS.search(text)} == STARTERS
