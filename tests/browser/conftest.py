"""A real browser: Debian's chromium, driven by Playwright; no request may leave a page."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ARGS = ["--headless", "--no-sandbox", "--disable-quic", "--disable-background-networking"]
#: Where a person may look at what the tests saw.
SHOTS = Path(__file__).parents[2] / "reports" / "browser"


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Start chromium once."""
    api = pytest.importorskip("playwright.sync_api", reason="no Playwright: nox -s browser")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("no chromium on PATH: apt-get install chromium")
    with api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=ARGS)
        yield started
        started.close()


@pytest.fixture
def opened(browser: Any) -> Iterator[Callable[..., Any]]:
    """Open a file in the browser; fail where it says anything or asks for anything."""
    said: list[str] = []
    contexts: list[Any] = []

    def open_(
        path: Path, where: str = "", *, wide: int = 1280, high: int = 800, **more: Any
    ) -> Any:
        context = browser.new_context(viewport={"width": wide, "height": high}, **more)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: said.append(f"error: {error}"))
        page.on("dialog", lambda dialog: said.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: _asked(request.url, path, said))
        page.goto(f"{path.as_uri()}{where}")
        page.wait_for_selector("html[data-ready]", timeout=60_000)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert said == []


def _asked(url: str, path: Path, said: list[str]) -> None:
    if not url.startswith((path.as_uri(), "data:")):
        said.append(f"request: {url}")


@pytest.fixture(scope="session")
def shot() -> Callable[[Any, str], None]:
    """Keep a picture of a page under reports/browser."""
    SHOTS.mkdir(parents=True, exist_ok=True)

    def keep(page: Any, name: str, *, whole: bool = False) -> None:
        page.screenshot(path=SHOTS / f"{name}.png", full_page=whole)

    return keep
