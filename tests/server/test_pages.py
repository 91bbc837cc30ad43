"""The pages that people meet, in a real browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from gnode_orm.core.select import Select
from gnode_orm.stores.local.store import LocalStore
from tests.server.conftest import PASSWORD
from tests.stores.rest.serving import served

BLOCKS = "/api/v1/electrophysiology/block/"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api")
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("no Chromium: none is on the PATH, and CHROMIUM names none")
    with sync_api.sync_playwright() as playwright:
        # Within a container it runs as root, where its own sandbox does not start.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def address(store: LocalStore) -> Iterator[str]:
    with served(store) as server:
        yield server.address


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    """A page on a telephone; whatever the browser complains of, or loads from elsewhere, fails the test."""
    context = chromium.new_context(viewport={"width": 390, "height": 800})
    context.set_default_timeout(20_000)
    page = context.new_page()
    page.complaints = []
    page.hosts = set()
    page.on("console", lambda message: page.complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("request", lambda request: page.hosts.add(urlsplit(request.url).hostname))
    yield page
    context.close()


def fits(page: Any) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_the_description_is_readable_on_a_telephone_and_loads_nothing_from_elsewhere(page: Any, address: str) -> None:
    page.goto(address + "/api/")
    assert "analogsignal" in page.inner_text("body")
    assert page.locator("h2").count() > 3
    assert fits(page)
    with page.expect_response("**/openapi.json") as answer:
        page.get_by_role("link", name="OpenAPI").click()
    assert answer.value.json()["openapi"].startswith("3.1")
    assert page.hosts == {"127.0.0.1"}
    assert page.complaints == []


def test_a_person_logs_in_reads_and_logs_out(page: Any, address: str, store: LocalStore) -> None:
    page.goto(address + "/account/login/")
    assert fits(page)
    page.get_by_label("Name").fill("ann")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/api/")
    assert page.goto(address + BLOCKS).status == 200
    page.goto(address + "/account/logout/")
    assert page.goto(address + BLOCKS).status == 401


def test_a_wrong_password_is_told_and_opens_nothing(page: Any, address: str) -> None:
    page.goto(address + "/account/login/")
    page.get_by_label("Name").fill("ann")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    assert page.get_by_role("alert").inner_text() == "Invalid credentials"
    assert page.get_by_label("Name").is_visible()
    assert page.goto(address + BLOCKS).status == 401


@pytest.mark.parametrize(
    "script",
    [
        "document.forms[0].submit()",
        "fetch(document.forms[0].action, {method: 'POST', body: '{}', credentials: 'include'}).catch(() => null)",
    ],
)
def test_a_page_of_another_site_changes_nothing_for_who_is_logged_in(
    page: Any, address: str, store: LocalStore, script: str
) -> None:
    page.goto(address + "/account/login/")
    page.get_by_label("Name").fill("ann")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/api/")
    form = f'<form method="post" action="{address}{BLOCKS}" enctype="text/plain"><input name="{{}}"></form>'
    page.route("http://evil.test/", lambda route: route.fulfill(body=form, content_type="text/html"))
    page.goto("http://evil.test/")
    with page.expect_event("requestfinished" if "forms[0].submit" in script else "requestfailed") as request:
        page.evaluate(script)
    assert request.value.method == "POST"
    assert request.value.url == address + BLOCKS
    assert store.select(Select("block"), "ann").rows == []
