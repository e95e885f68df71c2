"""A lock, with some of it let go → what uv is asked; pure."""

from __future__ import annotations

from collections.abc import Collection

from djhop.resolve.attempts import Attempt, respecified
from djhop.resolve.locks import Lock
from djhop.resolve.request import Request, django, is_version, name_of, read


def hold(
    request: Request, lock: Lock, pins: dict[str, str], held: Collection[str] | None = None
) -> Attempt:
    """Ask for a cell with everything (or only `held`) where its lock has it, and `pins` over that.

    `pins` gives package → specifier. What the project itself says of versions is left out: the lock
    says it. Django is that of the lock, forced where the lock is.
    """
    kept = {n: v for n, v in lock.packages.items() if is_version(v) and n not in pins}
    kept = {n: v for n, v in kept.items() if n != "django" and (held is None or n in held)}
    release = f"{django(request).partition('==')[0]}=={lock.django_release}"
    texts = (*request.requirements, *request.suite_packages, *request.packages)
    roots = tuple(dict.fromkeys(bare(text) for text in texts if name_of(text) != "django"))
    return Attempt(
        requirements={"project.in": roots, "django.in": (release,)},
        constraints=(
            *(f"{name}=={version}" for name, version in kept.items()),
            *(f"{name}{specifier}" for name, specifier in pins.items()),
        ),
        overrides=(release,) if lock.forced else (),
        seeds=tuple(f"{name}=={version}" for name, version in kept.items()),
    )


def bare(text: str) -> str:
    """A requirement without its versions."""
    requirement = read(text)
    if requirement is None or requirement.url:
        return text.partition(" --hash")[0]
    return respecified(requirement, "")
