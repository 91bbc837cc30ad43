"""A client that talks to the application inside the process, and waits for each answer."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
from starlette.applications import Starlette

HOST = "http://127.0.0.1:8010"


class Client:
    """One user's cookies. A context manager."""

    def __init__(self, app: Starlette, base: str = HOST) -> None:
        self._runner = asyncio.Runner()
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=("127.0.0.1", 1234))
        self._client = httpx.AsyncClient(transport=transport, base_url=base)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()

    @property
    def cookies(self) -> httpx.Cookies:
        return self._client.cookies

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self._runner.run(self._client.request(method, path, **options))

    def login(self, name: str, password: str) -> httpx.Response:
        return self.post("/account/authenticate/", data={"username": name, "password": password})

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.request("POST", path, **options)

    def put(self, path: str, **options: Any) -> httpx.Response:
        return self.request("PUT", path, **options)

    def delete(self, path: str, **options: Any) -> httpx.Response:
        return self.request("DELETE", path, **options)
