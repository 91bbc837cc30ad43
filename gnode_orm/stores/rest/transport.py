"""The pooled connections to one server: by the proxy and certificates that the environment names, with cookies kept.

requests reads the environment, and its connections of urllib3 are used directly: what a session of requests does anew
for every request takes longer than answering a small one. What is read as a stream goes past these as well.
"""

from __future__ import annotations

import urllib.request
from functools import cached_property
from http.cookiejar import CookieJar
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from gnode_orm.errors import ValidationFailed
from gnode_orm.stores.rest.plain import PlainAnswer, ask

Answer = urllib3.BaseHTTPResponse | PlainAnswer
_POOL = 16
# A compressed answer could not be read into arrays that are there already.
_HEADERS = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "gnode-orm"}


class _Way(NamedTuple):
    """A pool of connections, what stands there before each path, such as the address for a proxy, and the host."""

    pool: urllib3.HTTPConnectionPool
    prefix: str
    host: str


class Transport(HTTPAdapter):
    """Sends requests to one server, each once; safe to use from many threads."""

    def __init__(self, address: str) -> None:
        super().__init__(pool_connections=1, pool_maxsize=_POOL)
        self._address = address
        self._cookies = CookieJar()

    def request(
        self, method: str, path: str, body: Any, headers: dict[str, str], *, timeout: tuple[float, float], stream: bool
    ) -> Answer:
        """Send a request, with so many seconds to connect and to read.

        The body of its answer is read at once, or as a stream by the caller.

        Raises:
            ValidationFailed: the address is none.
            urllib3.exceptions.HTTPError: no whole answer came.
        """
        way, url = self._way, self._address + path
        headers = {**_HEADERS, **self._cookie(url), **headers}
        answer: Answer | None = None
        if stream:
            answer = self._asked(way, method, path, body or b"", headers, timeout[1])
        if answer is None:
            connect, read = timeout
            answer = way.pool.urlopen(
                method, way.prefix + path, body, headers, retries=False, redirect=False, assert_same_host=False,
                timeout=urllib3.Timeout(connect=connect, read=read), preload_content=not stream,
            )  # fmt: skip
            answer.url = url
        if "Set-Cookie" in answer.headers:
            self._cookies.extract_cookies(answer, urllib.request.Request(url))  # type: ignore[arg-type]
        return answer

    def _asked(
        self, way: _Way, method: str, path: str, body: bytes, headers: dict[str, str], seconds: float
    ) -> PlainAnswer | None:
        """Ask over an open connection, unless a proxy wants to be told more."""
        if way.pool.proxy is not None:
            return None
        lines = {**headers, "Host": way.host, "Content-Length": str(len(body))}
        fields = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        head = f"{method} {way.prefix}{path} HTTP/1.1\r\n{fields}\r\n"
        return ask(way.pool, method, head, body, seconds, self._address + path)

    def close(self) -> None:
        """Close every connection: urllib3 leaves open those of a pool that somebody still holds."""
        super().close()
        if "_way" in vars(self):
            self._way.pool.close()

    def _cookie(self, url: str) -> dict[str, str]:
        if not len(self._cookies):
            return {}
        asking = urllib.request.Request(url)
        self._cookies.add_cookie_header(asking)
        return dict(asking.header_items())

    @cached_property
    def _way(self) -> _Way:
        with requests.Session() as session:
            found: Any = session.merge_environment_settings(self._address, {}, None, None, None)
        proxies, verify, cert = found["proxies"], found["verify"], found["cert"]
        try:
            request = requests.Request("GET", self._address).prepare()
            trusted = verify if isinstance(verify, str) else DEFAULT_CA_BUNDLE_PATH
            pool: Any = self.get_connection_with_tls_context(request, trusted, proxies, cert)
        except (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema, UnicodeError) as error:
            raise ValidationFailed(f"{self._address} is not the address of a server ({error})") from None
        host = urlsplit(request.url or "").netloc.rpartition("@")[2]
        return _Way(pool, self.request_url(request, proxies).rstrip("/"), host)
