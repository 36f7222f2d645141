"""The API's own documentation in a real browser, with nothing but this machine to load it from."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from client.local_stack import LocalStack

CHROMIUM = shutil.which("chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        if os.environ.get("STANCEWIRE_REQUIRE_BROWSER"):
            pytest.fail("STANCEWIRE_REQUIRE_BROWSER is set and no chromium is installed")
        pytest.skip("no chromium is installed (Debian's package: chromium)")
    with sync_playwright() as playwright:
        # Chromium's own sandbox needs rights that containers of CI do not have.
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


def test_the_documentation_is_drawn_without_a_request_to_anywhere_else(
    browser: Browser, stack: LocalStack
) -> None:
    page = browser.new_page()
    elsewhere: list[str] = []
    faults: list[str] = []
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((stack.url, "data:", "blob:"))
            else elsewhere.append(request.url)
        ),
    )
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "console",
        lambda message: faults.append(message.text) if message.type == "error" else None,
    )

    page.goto(f"{stack.url}/docs")
    page.get_by_text("/v1/articles/{article_id}/analysis").wait_for()
    page.get_by_text("Submit an article", exact=False).first.wait_for()

    assert "Stancewire" in page.title()
    assert elsewhere == []
    assert faults == []
    page.close()
