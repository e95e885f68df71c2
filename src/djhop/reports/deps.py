"""What has to move on each hop, as text and as JSON: what `djhop deps` prints."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from djhop.deps.answers import Declared, Deps, First, HopDeps, State
from djhop.durable import encode
from djhop.releases import series_of
from djhop.reports.clean import one_line
from djhop.reports.json import TERMINAL
from djhop.reports.paint import Paint
from djhop.reports.signs import SIGNS, Tone, listed, number
from djhop.resolve.moves import Move
from djhop.resolve.order import Step
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
    text = msgspec.json.format(encode(deps), indent=2).decode()
    return TERMINAL.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n"


def text(deps: Deps, *, width: int = 80, color: bool = False) -> str:
    """The answer for a person: the way from today, then hop by hop."""
    return "\n".join(_Text(width, Paint(color)).lines(deps)) + "\n"


class _Text:
    """Lays lines out within a width."""

    def __init__(self, width: int, paint: Paint) -> None:
        self._width, self._paint = max(width, 40), paint

    def lines(self, deps: Deps) -> Iterator[str]:
        yield self._paint.bold(f"{one_line(deps.target, 60)}: what has to move, hop by hop")
        yield from self._wrap("Resolved by uv. Nothing was installed and no test was run.", 0)
        yield ""
        yield from self._first(deps.first)
        for at, hop in enumerate(deps.hops, 1):
            yield ""
            title = f"{at}. {_title(hop, deps.hops[at:])}"
            yield from self._hop(title, hop, today=hop.before == deps.first.cell)
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
            yield "   Pins that cannot be kept even today"
            yield from self._table(first.moves)
        elif first.state == "open":
            yield "   Can be installed."
        yield from self._facts(first.built, first.superseded)

    def _hop(self, title: str, hop: HopDeps, *, today: bool) -> Iterator[str]:
        yield from self._head(title, hop.state)
        yield from self._why(hop.reason, hop.hint)
        for blocker in hop.blockers:
            yield from self._wrap(f"blocked: {blocker.sentence}", 3)
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
            line = f"{' ' * indent}{name} {_versions(move)}"
            yield self._paint.bold(line) + ("  major" if move.major else "")
            if move.why:
                yield from self._wrap(one_line(move.why, 300), indent + 2)
            if why := (because or {}).get(move.package):
                yield from self._wrap(f"not earlier: {one_line(why, 300)}", indent + 2)

    def _along(self, moves: tuple[Move, ...]) -> Iterator[str]:
        if moves:
            told = ", ".join(f"{one_line(m.package, 40)} {_versions(m)}" for m in moves)
            yield from self._wrap(f"along with it: {told}", 5)

    def _declared(self, hop: HopDeps) -> Iterator[str]:
        if not hop.declared:
            return
        series = series_of(hop.django[1])
        says = [d for d in hop.declared if d.says == "support"]
        of = number(len(hop.declared), "package")
        yield from self._wrap(f"Declared for Django {series}: by {len(says)} of {of}", 3)
        for word, some in _by_word(hop.declared):
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
        tone = _TONES[state]
        sign = f"{SIGNS[tone]} {_WORDS[state]}"
        gap = " " * max(2, self._width - len(title) - len(sign))
        yield self._paint.bold(title) + gap + self._paint.tone(tone)(sign)

    def _wrap(self, words: str, indent: int) -> list[str]:
        return textwrap.wrap(
            words,
            self._width,
            initial_indent=" " * indent,
            subsequent_indent=" " * (indent + 2),
            break_long_words=False,
            break_on_hyphens=False,
        )


def _title(hop: HopDeps, ahead: tuple[HopDeps, ...]) -> str:
    if hop.axis == "python":
        old, new = hop.python
        goal = f", which Django {series_of(ahead[0].django[1])} needs" if ahead else ""
        return f"Python {old} → {new}{goal}  (Django {hop.django[1]})"
    old, new = hop.django
    return f"Django {old} → {new}  (Python {hop.python[1]})"


def _side(hop: HopDeps, at: int) -> str:
    """What a side of the hop is called: "Django 4.2", "Python 3.10"."""
    if hop.axis == "python":
        return f"Python {hop.python[at]}"
    return f"Django {series_of(hop.django[at])}"


def _versions(move: Move) -> str:
    match move.direction:
        case "added":
            return f"new, {move.after}"
        case "removed":
            return f"gone, was {move.before}"
    return f"{move.before} → {move.after}"


def _by_word(declared: tuple[Declared, ...]) -> list[tuple[str, list[str]]]:
    """What is declared instead of the series, and by which releases."""
    found: dict[str, list[str]] = {}
    for one in declared:
        if one.says == "others":
            word = f"up to {one.series[-1]}"
        else:
            word = {"none": "no series", "unknown": "not known"}.get(one.says, "")
        if word:
            found.setdefault(word, []).append(f"{one.package} {one.version}")
    return sorted(found.items())


def _next(deps: Deps) -> str:
    if any(hop.order.today for hop in deps.hops):
        return "`djhop deps --emit pip` (or uv, poetry, pdm, pipenv) prints the commands."
    return "`djhop run` installs this and runs your tests on it."
