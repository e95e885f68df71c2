"""What a fixer is given, what becomes of that, and what it proves."""

from __future__ import annotations

import datetime
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest

from djhop.compare.compare import judge
from djhop.compare.flaky import Evidence
from djhop.errors import ExitCode, InfraError, Interrupted, UsageError
from djhop.fixes import applying, patches, proof, sources
from djhop.fixes.proof import Fix, Sides
from djhop.fixes.rewrite import Fixer, Rewritten, command, fixer, rewrite
from djhop.fixing import exit_code
from djhop.interpreters.interpreters import Interpreter
from djhop.matrix.flaky import KnownFlaky
from djhop.matrix.plan import Cell, Hop
from djhop.processes.process import Command, Completed, Spawner
from djhop.results.reruns import Again, Reruns
from djhop.results.results import CellResult, Failure, Owner, Status
from djhop.results.results import Test as Case

OLD, NEW = Cell(django="3.2", python="3.8"), Cell(django="4.0", python="3.8")
HOP = Hop(before=OLD, after=NEW, axis="django")
TOOL = Fixer(python="/py", folder="/tools/x", version="1.33.0")

# Patches.

PAIRS = {
    "plain.py": ("a\nb\nc\n", "a\nB\nc\n"),
    "no end.py": ("a\nb", "a\nc"),
    "gets an end.py": ("a\nb", "a\nb\n"),
    "loses its end.py": ("a\nb\n", "a\nb"),
    "crlf.py": ("a\r\nb\r\n", "a\r\nc\r\n"),
    "form-feed.py": ("a\fb\n\x0bc\u2028d\ne\n", "a\fb\n\x0bc\u2028d\nf\n"),
    "dashes.py": ("-- a\n++ b\n", "-- c\n++ d\n"),
    "sub/naïve.py": ("é\n" * 30 + "ü", "é\n" * 20 + "ö\n" * 5 + "ü"),
    "emptied.py": ("a\n", ""),
}


def git(root: Path, *words: str) -> str:
    named = ("-c", "user.name=n", "-c", "user.email=e@x", "-c", "init.defaultBranch=main")
    done = subprocess.run(["git", *named, *words], cwd=root, capture_output=True, check=True)
    return done.stdout.decode()


def repository(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(text.encode())
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "all")
    return root


def test_git_applies_what_is_made_of_any_two_texts(tmp_path: Path) -> None:
    root = repository(tmp_path, {name: was for name, (was, _) in PAIRS.items()})
    made = "".join(patches.diff(name, *pair) for name, pair in PAIRS.items())
    (root / "all.patch").write_bytes(made.encode())
    git(root, "apply", "all.patch")
    assert {name: (root / name).read_bytes().decode() for name in PAIRS} == {
        name: now for name, (_, now) in PAIRS.items()
    }


def test_lines_are_counted_and_headers_are_not() -> None:
    patch = patches.diff("dashes.py", *PAIRS["dashes.py"])
    assert patches.changed("dashes.py", patch) == patches.Changed(
        path="dashes.py", added=2, removed=2
    )
    assert patches.diff("same.py", "a", "a") == ""


# Files.


def failed(message: str, *places: str) -> Failure:
    frames = tuple((place, 1, "f", "") for place in places)
    return Failure(exception="E", message=message, owner=Owner("project"), frames=frames)


def test_the_files_of_tracebacks_modules_and_names(tmp_path: Path) -> None:
    texts = {
        "app/urls.py": "",
        "app/signals.py": "Signal(providing_args=[1])",
        "app/more.py": "x = Signal(providing_args=[2])",
        "app/providing_args_too.py": "not_providing_args = 1",
        "src/tests/test_a.py": "",
        "src/tests/test_b/__init__.py": "",
        "other.py": "",
        "notes.txt": "providing_args",
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    failures = [failed("unexpected keyword argument 'providing_args'\n'other'", "app/urls.py")]
    modules = ["tests.test_a.Kind", "src/tests/test_b/__init__.py::K", "django.no"]
    found = sources.of(failures, modules, root=tmp_path, files=texts)
    assert found == (
        "app/urls.py",
        "app/signals.py",
        "app/more.py",
        "src/tests/test_a.py",
        "src/tests/test_b/__init__.py",
    )


def test_names_are_those_that_a_message_quotes() -> None:
    message = "cannot import name 'url' from 'django.conf.urls' (/a/b/__init__.py)"
    assert sources.names(message) == {"url", "urls"}
    assert sources.names("'class Meta' got invalid attribute(s): index_together") == set()


# Rewriting.


class Scripted(Spawner):
    """Stands for django-upgrade: writes "new" over files that say "old", and fails on "bad"."""

    def __init__(self, returncode: int | None = None, output: str = "") -> None:
        super().__init__()
        self.commands: list[Command] = []
        self._always, self._output = returncode, output

    def run(self, command: Command, *_: object, **__: object) -> Completed:
        self.commands.append(command)
        code = self._always or 0
        if self._always is None:
            for name in command.argv[command.argv.index("--") + 1 :]:
                path = Path(command.cwd, name)
                path.write_text(path.read_text().replace("old", "new"))
                if "bad" in path.read_text():
                    code, self._output = 1, "Traceback\nValueError: no\n"
                    break
        return Completed(argv=command.argv, returncode=code, seconds=0.0, output=self._output)


def run(tree: Path, files: Sequence[str], spawner: Spawner | None = None) -> Rewritten:
    return rewrite(tree, files, "3.2", fixer=TOOL, spawner=spawner or Scripted())


def test_what_was_rewritten_is_a_patch_and_counts(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("old\nsame\n")
    (tmp_path / "b.py").write_text("same\n")
    made = run(tmp_path, ["a.py", "b.py", "a.py"])
    assert made == Rewritten(
        target_version="3.2",
        changed=(patches.Changed(path="a.py", added=1, removed=1),),
        patch=patches.diff("a.py", "old\nsame\n", "new\nsame\n"),
    )


def test_the_fixer_sees_nothing_of_the_tree_but_the_files() -> None:
    made = command(Path("/tree"), ("-odd.py",), "3.2", TOOL)
    assert made.argv[:3] == ("/py", "-I", "-B")
    assert made.argv[-5:] == (
        *("--exit-zero-even-if-changed", "--target-version", "3.2"),
        *("--", "-odd.py"),
    )
    limited = command(Path("/tree"), ("a.py",), "3.2", TOOL, ("django_urls", "use_l10n"))
    assert limited.argv[-6:] == ("--only", "django_urls", "--only", "use_l10n", "--", "a.py")
    assert not [name for name in made.env if name.startswith(("PYTHON", "DJANGO"))]


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    target, tree = tmp_path / "target", tmp_path / "tree"
    (target / "sub").mkdir(parents=True)
    tree.mkdir()
    for name in ("a.py", "sub/b.py"):
        (target / name).write_text("old")
    (tree / "a.py").symlink_to(target / "a.py")
    (tree / "sub").symlink_to(target / "sub")
    made = run(tree, ["a.py", "sub/b.py"])
    assert [why for _, why in made.skipped] == ["it is a link, or lies behind one"] * 2
    assert (target / "a.py").read_text() == (target / "sub/b.py").read_text() == "old"


def test_what_it_cannot_have_is_left_alone_and_said(tmp_path: Path) -> None:
    (tmp_path / "latin.py").write_bytes(b"# \xe9 old")
    (tmp_path / "a.py").write_text("old")
    made = run(tmp_path, ["latin.py", "gone.py", "a.py"])
    assert made.skipped == (
        ("latin.py", "it is not UTF-8"),
        ("gone.py", "it cannot be read: No such file or directory"),
    )
    assert [one.path for one in made.changed] == ["a.py"]


def test_a_file_it_fails_on_does_not_keep_it_from_the_others(tmp_path: Path) -> None:
    for name, text in {"a.py": "old", "b.py": "bad old", "c.py": "old"}.items():
        (tmp_path / name).write_text(text)
    made = run(tmp_path, ["a.py", "b.py", "c.py"])
    assert [one.path for one in made.changed] == ["a.py", "c.py"]
    assert made.skipped == (("b.py", "django-upgrade fails on it: ValueError: no"),)
    assert (tmp_path / "b.py").read_text() == "bad old"


def test_a_django_it_does_not_know_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("old")
    spawner = Scripted(2, "usage: …\nerror: invalid choice: '9.9'\n")
    assert run(tmp_path, ["a.py"], spawner).refused == "error: invalid choice: '9.9'"


def test_a_fixer_that_cannot_run_is_the_machines_fault(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("old")
    with pytest.raises(InfraError, match="ended with 127"):
        run(tmp_path, ["a.py"], Scripted(127, "no such file"))
    asked = Spawner()
    asked.interrupt()
    with pytest.raises(Interrupted):
        run(tmp_path, ["a.py"], asked)


def test_the_fixer_needs_a_python_of_today(tmp_path: Path) -> None:
    old = Interpreter(python="3.8", release="3.8.18", path="/py", source="PATH", key="k")
    with pytest.raises(InfraError, match=r"3\.9 or newer"):
        fixer({"3.8": old}, cache=tmp_path, spawner=Spawner())


# Proof.


def case(name: str, outcome: str, message: str = "boom", **more: object) -> Case:
    failure = None
    if outcome in ("failed", "error"):
        failure = Failure(exception="E", message=message, owner=Owner("project"), place="a.py:1")
    return Case(id=name, strict=outcome, plain=outcome, failure=failure, **more)  # type: ignore[arg-type]


def cell(at: Cell, *tests: Case, status: Status = "failed", **more: object) -> CellResult:
    return CellResult(
        id=at.id, django=at.django, python=at.python, status=status, tests=tests, **more
    )  # type: ignore[arg-type]


def sides(before: CellResult, after: CellResult) -> Sides:
    return Sides(hop=HOP, judged=judge(before, after, HOP), before=before, after=after)


def tried(made: Sides, causes: tuple[str, ...] | None = None) -> Fix:
    chosen = made.judged.causes if causes is None else causes
    fix = proof.begun("id", made, chosen, "django-upgrade 1.33.0")
    return proof.rewritten(fix, Rewritten(target_version="3.2", patch="x"))


GREEN = tuple(case(name, "passed") for name in "abcd")


@pytest.mark.parametrize(
    ("now", "repaired"),
    [
        (case("a", "passed"), 1),
        (case("a", "failed"), 0),
        (case("a", "failed", "another"), 0),
        (case("a", "skipped"), 0),
        (case("a", "not-run"), 0),
        (case("a", "passed", flaky=True), 0),
        (case("b", "passed"), 0),
    ],
    ids=lambda value: getattr(value, "plain", ""),
)
def test_repaired_is_what_passes_again_and_nothing_else(now: Case, repaired: int) -> None:
    made = sides(cell(OLD, case("a", "passed")), cell(NEW, case("a", "failed")))
    fix = proof.repaired(tried(made), made, cell(NEW, now))
    assert (fix.repaired, fix.behind, fix.causes[0].repaired) == (repaired, 1, repaired)


def test_what_fails_as_it_did_before_the_hop_is_repaired() -> None:
    old = cell(OLD, case("a", "failed", "old"))
    made = sides(old, cell(NEW, case("a", "failed", "new")))
    assert proof.repaired(tried(made), made, cell(NEW, case("a", "failed", "old"))).repaired == 1


def dead(message: str) -> CellResult:
    failure = Failure(exception="ImportError", message=message, owner=Owner("project"))
    return cell(NEW, status="uncollectable", failures=(("plain", failure),))


def test_of_a_dead_run_what_comes_back_counts_and_the_next_cause_shows() -> None:
    made = sides(cell(OLD, *GREEN, status="passed"), dead("no 'url'"))
    alive = cell(NEW, *GREEN[:3], case("d", "failed", "hidden"))
    fix = proof.repaired(tried(made), made, alive)
    assert (fix.repaired, fix.behind, fix.verdict) == (3, 4, "breaks")
    assert [(one.message, one.tests) for one in fix.next] == [("hidden", 1)]
    assert fix.broke_after == ()  # it did not run before

    still = proof.repaired(tried(made), made, dead("no 'more'"))
    assert still.repaired == 0
    assert [one.message for one in still.next] == ["no 'more'"]


def test_what_a_fix_breaks_is_said_on_both_sides() -> None:
    made = sides(cell(OLD, *GREEN), cell(NEW, case("a", "failed"), *GREEN[1:]))
    fix = proof.repaired(tried(made), made, cell(NEW, *GREEN[:3], case("d", "failed")))
    assert (fix.repaired, fix.broke_after) == (1, ("d",))
    fix = proof.kept(fix, made, cell(OLD, case("a", "failed"), *GREEN[1:]))
    assert (fix.kept, fix.broke_before, fix.whole) == (False, ("a",), False)


def test_what_is_flaky_or_depends_on_the_order_is_not_broken_by_a_fix() -> None:
    old = cell(OLD, *GREEN)
    new = cell(NEW, case("a", "failed", "one"), case("b", "failed", "two"), *GREEN[2:])
    again = (Again(test="b", side="after", how="alone", outcome="passed"),) * 2
    reruns = Reruns(before=old.id, after=new.id, asked=2, tests=1, runs=again)
    known = KnownFlaky(id="d", reason="clock", expires=datetime.date(2027, 1, 1))
    evidence = Evidence(reruns=reruns, known=(known,))
    judged = judge(old, new, HOP, evidence=evidence)
    assert (judged.broke, judged.order_dependent) == (("a",), ("b",))
    made = Sides(hop=HOP, judged=judged, before=old, after=new, evidence=evidence)

    with_it = cell(NEW, GREEN[0], new.tests[1], *GREEN[2:])
    fix = proof.repaired(tried(made), made, with_it)
    assert (fix.repaired, fix.broke_after, fix.next) == (1, (), ())
    assert fix.verdict == "unknown"

    # What is known to be flaky was fine without the fix.
    with_it = cell(NEW, *GREEN[:3], case("d", "failed"))
    assert proof.repaired(tried(made), made, with_it).broke_after == ("d",)


def test_whole_is_a_hop_that_breaks_nothing_and_a_cell_before_that_is_kept() -> None:
    made = sides(cell(OLD, *GREEN), cell(NEW, case("a", "failed"), *GREEN[1:]))
    fix = proof.repaired(tried(made), made, cell(NEW, *GREEN, status="passed"))
    assert not fix.whole
    fix = proof.kept(fix, made, cell(OLD, *GREEN, status="passed"))
    assert fix.whole
    assert exit_code((fix,)) == ExitCode.OK
    assert exit_code((fix, msgspec.structs.replace(fix, kept=False))) == ExitCode.BREAKS


@pytest.mark.parametrize("status", ["crashed", "uncollectable", "timed-out"])
def test_a_cell_before_that_dies_is_not_kept(status: Status) -> None:
    made = sides(cell(OLD, *GREEN), cell(NEW, case("a", "failed"), *GREEN[1:]))
    shown = () if status == "uncollectable" else GREEN
    assert not proof.kept(tried(made), made, cell(OLD, *shown, status=status)).kept


@pytest.mark.parametrize("status", ["infra", "uninstallable", "interrupted"])
def test_a_cell_that_did_not_run_proves_nothing(status: Status) -> None:
    made = sides(cell(OLD, *GREEN), cell(NEW, case("a", "failed"), *GREEN[1:]))
    for side in (proof.repaired, proof.kept):
        fix = side(tried(made), made, cell(NEW, status=status, reason="why"))
        assert fix.incomplete
        assert "why" in fix.reason
        assert exit_code((fix,)) == ExitCode.INCOMPLETE


def test_one_cause_alone_has_its_own_tests() -> None:
    red = (case("a", "failed", "one"), case("b", "failed", "two"), *GREEN[2:])
    made = sides(cell(OLD, *GREEN), cell(NEW, *red))
    only = made.sightings(made.judged.causes)[0].key
    fix = proof.repaired(tried(made, (only,)), made, cell(NEW, GREEN[0], *red[1:]))
    assert (fix.repaired, fix.behind, fix.verdict) == (1, 1, "breaks")


def test_modules_count_where_no_test_is_known() -> None:
    lost = Failure(exception="ImportError", message="no", owner=Owner("project"))
    module = Case(id="test_new", strict="error", plain="error", failure=lost)
    after = cell(NEW, *GREEN, module, failures=(("test_new", lost),))
    made = sides(cell(OLD, *GREEN), after)
    fix = tried(made)
    assert [(one.behind, one.modules) for one in fix.causes] == [(1, True)]
    assert proof.repaired(fix, made, after).causes[0].repaired == 0
    assert proof.repaired(fix, made, cell(NEW, *GREEN)).causes[0].repaired == 1


def test_broken_by_a_fix_is_what_breaks_each_time() -> None:
    fix = Fix(id="i", hop="h", before="b", after="a")
    first = msgspec.structs.replace(fix, broke_before=("x", "y"), broke_after=("z",))
    second = msgspec.structs.replace(fix, broke_before=("y",), broke_after=())
    both = proof.steady(first, second)
    assert (both.broke_before, both.broke_after, both.kept) == (("y",), (), False)
    by_luck = msgspec.structs.replace(fix, broke_before=("q",))
    assert proof.steady(first, by_luck).kept
    assert proof.steady(first, msgspec.structs.replace(fix, kept=True)).kept


def test_nothing_to_rewrite_is_said() -> None:
    made = sides(cell(OLD, *GREEN), cell(NEW, case("a", "failed"), *GREEN[1:]))
    fix = proof.begun("id", made, made.judged.causes, "f")
    for rewritten, reason in (
        (Rewritten(target_version="3.2"), "there is nothing that it rewrites"),
        (Rewritten(target_version="9.9", refused="invalid choice"), "invalid choice"),
    ):
        assert proof.rewritten(fix, rewritten).reason == reason
        assert proof.rewritten(fix, rewritten).patch == ""


# Applying.


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    root.mkdir()
    return repository(root, {"backend/a.py": "old\n", "b.py": "b\n"})


def patch_of(folder: Path, name: str = "a.py", was: str = "old\n") -> Path:
    path = folder / "x.patch"
    path.write_text(patches.diff(name, was, "new\n"))
    return path


def test_a_patch_is_applied_in_a_subfolder_of_a_clean_repository(
    project: Path, tmp_path: Path
) -> None:
    (project / "untracked.txt").write_text("is no matter")
    applying.write(project / "backend", patch_of(tmp_path), ["a.py"], Spawner())
    assert (project / "backend/a.py").read_text() == "new\n"
    assert git(project, "diff", "--name-only") == "backend/a.py\n"


def change(project: Path) -> None:
    (project / "b.py").write_text("changed\n")


def commit(project: Path) -> None:
    (project / "backend/a.py").write_text("something else\n")
    git(project, "commit", "-qam", "later")


def untrack(project: Path) -> None:
    git(project, "rm", "-q", "--cached", "backend/a.py")
    git(project, "commit", "-qm", "untracked")


@pytest.mark.parametrize(
    ("happened", "words"),
    [(change, "is not clean"), (commit, "does not apply"), (untrack, "git does not track")],
)
def test_where_git_could_not_take_it_back_nothing_is_changed(
    happened: Callable[[Path], None], words: str, project: Path, tmp_path: Path
) -> None:
    happened(project)
    was = {path: path.read_text() for path in project.rglob("*.py")}
    with pytest.raises(UsageError, match=words) as caught:
        applying.write(project / "backend", patch_of(tmp_path), ["a.py"], Spawner())
    assert "nothing was changed" in str(caught.value)
    assert caught.value.hint
    assert {path: path.read_text() for path in project.rglob("*.py")} == was


def test_without_git_or_without_a_patch_nothing_is_applied(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("old\n")
    with pytest.raises(UsageError, match="in no git repository"):
        applying.write(tmp_path, patch_of(tmp_path), ["a.py"], Spawner())
    with pytest.raises(UsageError, match="there is no patch"):
        applying.write(tmp_path, tmp_path / "no.patch", ["a.py"], Spawner())
    assert (tmp_path / "a.py").read_text() == "old\n"
