"""What has to move on each hop, as text and as JSON: what `djhop deps` prints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from packaging.requirements import Requirement

from djhop.deps.answers import Deps, First, HopDeps, State
from djhop.releases import series_of
from djhop.reports.clean import inert, one_line, spelled
from djhop.reports.declared import by_word
from djhop.reports.fold import columns, fold
from djhop.reports.json import indented
from djhop.reports.paint import Paint
from djhop.reports.signs import SIGNS, Tone, listed, number
from djhop.resolve.moves import Move
from djhop.resolve.order import Step
from djhop.resolve.outcome import LATEST
from djhop.superseded import Superseded

_TONES: dict[State, Tone] = {
    "open": "good",
    "forced": "blocked",
    "none": "blocked",
    "unknown": "unknown",
}
#: What stands at the end of a hop's headline.
_WORDS: dict[State, str] = {
    "open": "open",
    "forced": "blocked; forced",
    "none": "blocked",
    "unknown": "not known",
}
FORCED = "Only against that metadata; `djhop run` forces it and shows which tests break."
#: Where the notes of `superseded` are to be read.
DOCS = "docs.djangoproject.com/en/stable/"


def as_json(deps: Deps) -> str:
    """The whole answer as JSON."""
    return indented(deps) + "\n"


def text(deps: Deps, *, width: int = 80, color: bool = False) -> str:
    """The answer for a person: the way from today, then hop by hop."""
    return inert("\n".join(_Text(width, Paint(color)).lines(deps)) + "\n")


class _Text:
    """Lays lines out within a width."""

    def __init__(self, width: int, paint: Paint) -> None:
        self._width, self._paint = columns(width), paint

    def lines(self, deps: Deps) -> Iterator[str]:
        yield self._paint.bold(f"{one_line(deps.target, 60)}: what has to move, hop by hop")
        yield from self._wrap("Resolved by uv. Nothing was installed and no test was run.", 0)
        yield ""
        yield from self._first(deps.first)
        ruled_out = _ruled_out(deps)
        for at, hop in enumerate(deps.hops, 1):
            yield ""
            title = f"{at}. {_title(hop, deps.hops[at:])}"
            own = _own(deps) if hop is ruled_out else ""
            yield from self._hop(title, hop, today=hop.before == deps.first.cell, own=own)
        yield ""
        yield from self._wrap(f"Next: {_next(deps)}", 0)
        if deps.notes:
            yield ""
            yield self._paint.dim("Assumed")
            for note in deps.notes:
                yield from self._wrap(f"- {note}", 2)

    def _first(self, first: First) -> Iterator[str]:
        yield from self._head(f"Today: {first.cell}", first.state)
        yield from self._why(first.reason, first.hint)
        if first.moves:
            yield "   First, from what the project has today"
            yield from self._table(move for move in first.moves if move.why != LATEST)
            if free := [move for move in first.moves if move.why == LATEST]:
                yield from self._wrap(f"{LATEST}: {_told(free)}", 5)
        elif first.state == "open":
            yield "   Nothing has to move."
        yield from self._facts(first.built, first.superseded)

    def _hop(self, title: str, hop: HopDeps, *, today: bool, own: str) -> Iterator[str]:
        yield from self._head(title, hop.state)
        yield from self._why(hop.reason, hop.hint)
        for blocker in hop.blockers:
            still = "still " if blocker.package in hop.still else ""
            yield from self._wrap(f"{still}blocked: {blocker.sentence}", 3)
            if len(blocker.chain) > 2:
                yield from self._wrap(f"asked for by {' → '.join(blocker.chain[:-1])}", 5)
        if hop.state in {"none", "unknown"}:
            return
        if not hop.stands:
            yield from self._wrap("From the pins of today, as there is nothing to start from:", 3)
        if hop.order.today:
            when = "Today" if today else "Before it"
            yield from self._before(f"{when}, on {_side(hop, 0)}", hop.order.today)
        yield from self._with(hop)
        if own:
            yield from self._wrap(f"Has to allow {_side(hop, 1)}: {own}", 3)
        yield from self._declared(hop)
        yield from self._facts(hop.built, hop.superseded)

    def _before(self, when: str, steps: tuple[Step, ...]) -> Iterator[str]:
        how = "one small change each, in this order" if len(steps) > 1 else "one small change"
        yield from self._wrap(f"{when}: {how}", 3)
        for step in steps:
            yield from self._step(step)

    def _step(self, step: Step) -> Iterator[str]:
        if len(step.moves) > 1:
            names = listed([one_line(move.package, 40) for move in step.moves])
            yield from self._wrap(f"together, in one change: {names}", 5)
        yield from self._table(step.moves, indent=7 if len(step.moves) > 1 else 5)
        yield from self._along(step.along)

    def _with(self, hop: HopDeps) -> Iterator[str]:
        own, along = hop.order.hop, hop.order.along
        rest = [move for move in own if move.package != "django"]
        if hop.state == "forced":
            yield from self._wrap(FORCED, 3)
        if not rest and hop.state == "open":
            also = "else " if hop.order.today else ""
            moved = "Python" if hop.axis == "python" else "Django"
            yield f"   With {moved}: nothing {also}has to move."
        elif rest:
            yield from self._wrap(f"In the same change as {_side(hop, 1)}", 3)
            yield from self._table(rest, hop.order.because)
        yield from self._along(along)

    def _table(
        self, moves: Iterable[Move], because: Mapping[str, str] | None = None, indent: int = 5
    ) -> Iterator[str]:
        for move in moves:
            name = one_line(move.package, 40).ljust(29 - indent)
            line = f"{' ' * indent}{name} {spelled(_versions(move))}"
            yield self._paint.bold(line) + ("  major" if move.major else "")
            if move.why and move.why != LATEST:  # the notes say so
                yield from self._wrap(one_line(move.why, 300), indent + 2)
            if why := (because or {}).get(move.package):
                yield from self._wrap(f"not earlier: {one_line(why, 300)}", indent + 2)

    def _along(self, moves: tuple[Move, ...]) -> Iterator[str]:
        if moves:
            yield from self._wrap(f"along with it: {_told(moves)}", 5)

    def _declared(self, hop: HopDeps) -> Iterator[str]:
        if not hop.declared:
            return
        series = series_of(hop.django[1])
        says = [d for d in hop.declared if d.says == "support"]
        of = number(len(hop.declared), "package")
        yield from self._wrap(f"Declared for Django {series}: by {len(says)} of {of}", 3)
        for word, some in by_word(hop.declared, series):
            yield from self._wrap(f"{word}: {', '.join(some)}", 5)
        old = [
            f"{d.package} {d.newest} ({d.newest_uploaded})" for d in hop.declared if d.last_before
        ]
        if old:
            yield from self._wrap(f"last release before Django {series}: {', '.join(old)}", 5)

    def _facts(self, built: tuple[str, ...], rows: tuple[Superseded, ...]) -> Iterator[str]:
        if built:
            yield from self._wrap(f"No wheel here, must be built: {', '.join(built)}", 3)
        for row in rows:
            part = f" ({row.part})" if row.part else ""
            yield from self._wrap(f"Django has it now: {row.package}{part} → {row.by}", 3)
            yield from self._wrap(DOCS + row.notes, 5)

    def _why(self, reason: str, hint: str) -> Iterator[str]:
        for line in filter(None, (reason, hint)):
            yield from self._wrap(one_line(line, 600), 3)

    def _head(self, title: str, state: State) -> Iterator[str]:
        title = spelled(title)
        tone = _TONES[state]
        sign = f"{SIGNS[tone]} {_WORDS[state]}"
        painted, gap = self._paint.tone(tone)(sign), self._width - len(title) - len(sign)
        if gap >= 2:
            yield self._paint.bold(title) + " " * gap + painted
        else:
            yield from map(self._paint.bold, fold(title, self._width, 3))
            yield f"   {painted}"

    def _wrap(self, words: str, indent: int) -> list[str]:
        return fold(" " * indent + spelled(words), self._width, indent + 2)


def _title(hop: HopDeps, ahead: tuple[HopDeps, ...]) -> str:
    if hop.axis == "python":
        old, new = hop.python
        goal = f", which Django {series_of(ahead[0].django[1])} needs" if ahead else ""
        return f"Python {old} → {new}{goal}  (Django {hop.django[1]})"
    old, new = hop.django
    return f"Django {old} → {new}  (Python {hop.python[1]})"


def _ruled_out(deps: Deps) -> HopDeps | None:
    """The first hop to a Django that the project's own requirement does not allow."""
    if not deps.django_requirement:
        return None
    allowed = Requirement(deps.django_requirement).specifier
    beyond = (hop for hop in deps.hops if hop.axis == "django" and hop.state in {"open", "forced"})
    return next((hop for hop in beyond if not allowed.contains(hop.django[1], True)), None)


def _own(deps: Deps) -> str:
    """The project's own requirement on Django, and where it is written."""
    where = one_line(deps.django_requirement_place, 80)
    return f"{one_line(deps.django_requirement, 80)} ({where})"


def _side(hop: HopDeps, at: int) -> str:
    """What a side of the hop is called: "Django 4.2", "Python 3.10"."""
    if hop.axis == "python":
        return f"Python {hop.python[at]}"
    return f"Django {series_of(hop.django[at])}"


def _versions(move: Move) -> str:
    match move.direction:
        case "added":
            return f"new: {move.after}"
        case "removed":
            return f"gone: {move.before}"
    return f"{move.before} → {move.after}"


def _told(moves: Iterable[Move]) -> str:
    """Moves in a row: "a 1 → 2, b 1 → 3; new: c 1, d 2; gone: e 1"."""
    groups: dict[str, list[str]] = {"": [], "new: ": [], "gone: ": []}
    for move in moves:
        kind = {"added": "new: ", "removed": "gone: "}.get(move.direction, "")
        versions = (move.after or move.before) if kind else _versions(move)
        groups[kind].append(f"{one_line(move.package, 40)} {versions}")
    return "; ".join(kind + ", ".join(some) for kind, some in groups.items() if some)


def _next(deps: Deps) -> str:
    if deps.first.state in {"none", "unknown"} and not any(hop.stands for hop in deps.hops):
        return f"clear what is in the way of {deps.first.cell}, then `djhop deps` again."
    told = f"`djhop deps --emit {deps.manager}` prints the commands"
    if any(hop.order.today for hop in deps.hops):
        return f"{told}, one for each change."
    return f"`djhop run` installs this and runs your tests on it; {told}."
