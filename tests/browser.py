"""A Chromium that tells everything: console errors, page errors, every request.

Use it with ``from tests.browser import chromium_page`` (a fixture) in a test marked ``browser``.
The network is off: a request to anything but the page's own file is recorded and refused.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

EXECUTABLE = os.environ.get("TOOLKIT_TEST_CHROMIUM", "/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SIZES = {"phone": (375, 812), "desktop": (1440, 900)}


@dataclass
class Visit:
    """One opened page and what happened on it."""

    page: Any
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    def resize(self, size: str) -> None:
        width, height = SIZES[size]
        self.page.set_viewport_size({"width": width, "height": height})

    def eventually(self, check: Callable[[], Any], wanted: Any = True) -> None:
        """Wait until something on the page is as wanted; two minutes, for a busy machine.

        Playwright's own ``wait_for_function`` compiles code in the page, which the page's policy
        forbids.
        """
        for _ in range(2400):
            if check() == wanted:
                return
            self.page.wait_for_timeout(50)
        assert check() == wanted

    def settle(self) -> None:
        """Wait until the page has drawn what it was about to draw."""
        self.page.evaluate(
            "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )

    def assert_clean(self, path: Path) -> None:
        """Nothing was logged, thrown, shown as a dialog or requested but the file itself."""
        assert self.errors == []
        assert self.dialogs == []
        outside = [u for u in self.requests if not u.startswith(("data:", "blob:"))]
        assert outside == [path.resolve().as_uri()]

    def assert_fits(self) -> None:
        """The page does not scroll sideways."""
        overflow = self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert overflow <= 0

    def assert_accessible(self) -> None:
        """axe-core finds no serious or critical violation."""
        from axe_playwright_python.sync_playwright import Axe

        # axe is put into the page by evaluate: as a script its policy would refuse it.
        found = Axe().run(self.page).response["violations"]
        serious = [
            (one["id"], [node["html"][:160] for node in one["nodes"][:3]])
            for one in found
            if one["impact"] in ("serious", "critical")
        ]
        assert serious == []


class Chromium:
    """Opens files, each in a fresh context."""

    def __init__(self, browser: Any) -> None:
        self._browser = browser
        self._contexts: list[Any] = []

    def open(
        self, path: Path, *, size: str = "desktop", dark: bool = False, **options: Any
    ) -> Visit:
        width, height = SIZES[size]
        context = self._browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            offline=True,
            **options,
        )
        context.set_default_timeout(120_000)
        self._contexts.append(context)
        page = context.new_page()
        visit = Visit(page)
        page.on(
            "console",
            lambda m: visit.errors.append(m.text) if m.type in ("error", "warning") else None,
        )
        page.on("pageerror", lambda error: visit.errors.append(str(error)))
        page.on("request", lambda request: visit.requests.append(request.url))
        # Playwright reports a request before the page's policy is asked about it.
        page.on(
            "requestfailed",
            lambda r: visit.refused.append(r.url) if r.failure == "csp" else None,
        )

        def dismiss(dialog: Any) -> None:
            visit.dialogs.append(dialog.message)
            dialog.dismiss()

        page.on("dialog", dismiss)
        page.goto(path.resolve().as_uri(), wait_until="load")
        return visit

    def close(self) -> None:
        for context in self._contexts:
            context.close()


def _unavailable(reason: str) -> None:
    if os.environ.get("TOOLKIT_REQUIRE_CHROMIUM") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A running browser for the session."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _unavailable("Playwright is not installed: pip install 'embeddinggemma-toolkit[test]'")
    if not Path(EXECUTABLE).exists():
        _unavailable(
            f"no Chromium at {EXECUTABLE}: install Debian's package (apt install chromium), "
            "or name one with TOOLKIT_TEST_CHROMIUM"
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=EXECUTABLE, args=ARGUMENTS, timeout=180_000
        )
        yield browser
        browser.close()


@pytest.fixture
def chromium_page(chromium: Any) -> Iterator[Chromium]:
    """Open pages with ``chromium_page.open(path, size="phone", dark=True)``."""
    opener = Chromium(chromium)
    yield opener
    opener.close()
