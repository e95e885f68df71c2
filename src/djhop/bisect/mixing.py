"""A point → what uv is asked for its lock; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from djhop.bisect.points import Point
from djhop.resolve.attempts import Attempt
from djhop.resolve.holding import bare
from djhop.resolve.request import (
    DJANGO_OWN,
    Request,
    extras_text,
    is_version,
    name_of,
    read,
    replaced,
)


def attempts(request: Request, point: Point, known: Mapping[str, str]) -> Iterator[Attempt]:
    """Yield what to ask, one after the other until uv agrees: everything as the point has it.

    Then what Django requires may move; then what packages say of Django is passed over as well.
    `known` are the versions to take of what the point does not have and something asks for.
    """
    yield _attempt(request, point, known, free=())
    yield _attempt(request, point, known, free=DJANGO_OWN)
    yield _attempt(request, point, known, free=DJANGO_OWN, forced=True)


def _attempt(
    request: Request,
    point: Point,
    known: Mapping[str, str],
    *,
    free: Collection[str],
    forced: bool = False,
) -> Attempt:
    texts = (*request.requirements, *request.suite_packages, *request.packages)
    roots = dict.fromkeys(bare(text) for text in texts if name_of(text) != "django")
    release = f"django{_extras(request)}=={point.django}"
    seeds = {n: v for n, v in {**known, **point.packages}.items() if is_version(v)}
    held = point.packages.items() - {("django", point.django)}
    return Attempt(
        requirements={"project.in": tuple(roots), "django.in": (release,)},
        constraints=tuple(sorted(f"{n}=={v}" for n, v in held if is_version(v) and n not in free)),
        overrides=(release,) if forced else (),
        seeds=tuple(f"{n}=={v}" for n, v in sorted(seeds.items()) if n != "django"),
    )


def _extras(request: Request) -> str:
    texts = (*replaced(request), *(t for t in request.packages if name_of(t) == "django"))
    found = {extra for text in texts if (one := read(text)) for extra in one.extras}
    return extras_text(found)


def listing(name: str, specifier: str, unbuilt: Collection[str], *, lowest: bool) -> Attempt:
    """Ask for the newest (or lowest) release that a specifier allows, those `unbuilt` aside."""
    return Attempt(
        requirements={"listed.in": (f"{name}{specifier}",)},
        constraints=tuple(f"{name}!={version}" for version in sorted(unbuilt)),
        lowest=lowest,
    )
