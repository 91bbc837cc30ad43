"""The server within the test's own process, over real sockets, with answers that get lost on demand."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from gnode_orm.server.app import create_app
from gnode_orm.stores.local.accounts import BEARER
from gnode_orm.stores.local.store import LocalStore
from gnode_orm.stores.rest.connection import Patience
from gnode_orm.stores.rest.opening import open_store
from gnode_orm.stores.rest.store import RestStore
from tests.stores.as_actor import AsActor

QUICK = Patience(connect=5, read=30, attempts=4, pause=0.0)

Fault = Callable[["_Exchange"], None]


class Served:
    """A lab behind a server on a free port of this machine."""

    def __init__(self, store: LocalStore, app: Any = None) -> None:
        self.store = store
        self.app = app or create_app(store)
        self.requests: list[str] = []
        self.received = 0
        self.sent = 0
        self.stopping = threading.Event()
        self._faults: list[tuple[str, Fault]] = []
        self._lock = threading.Lock()
        self._opening = threading.Lock()
        self._stores: dict[str, RestStore] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def token(self, user: str) -> str:
        """A token of a user, who gets an account where he has none."""
        with self.store._database.write() as transaction:
            transaction.run("INSERT INTO account (name) VALUES (:name) ON CONFLICT DO NOTHING", name=user)
        return self.store.accounts.new_token(user, BEARER, 3600)

    def open(self, user: str = "ann", patience: Patience = QUICK) -> RestStore:
        """The store of one user."""
        return open_store(self.address, token=self.token(user), patience=patience)

    def by(self, user: str) -> RestStore:
        """The store of one user, opened once."""
        with self._opening:
            if user not in self._stores:
                self._stores[user] = self.open(user)
            return self._stores[user]

    def fault(self, path: str, fault: Fault) -> None:
        """Let something happen to the next request whose address ends in this."""
        self._faults.append((path, fault))

    def next_fault(self, path: str) -> Fault | None:
        with self._lock:
            self.requests.append(path)
            for place, (end, fault) in enumerate(self._faults):
                if path.endswith(end):
                    del self._faults[place]
                    return fault
        return None

    def close(self) -> None:
        self.stopping.set()
        for store in self._stores.values():
            store.close()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class EveryUser(AsActor):
    """The stores of the users of one served lab."""

    store_class = RestStore

    def __init__(self, served: Served) -> None:
        self.served = served

    def by(self, user: str) -> RestStore:
        return self.served.by(user)


@contextmanager
def served(store: LocalStore, app: Any = None) -> Iterator[Served]:
    """Serve a lab for a while, by our application or another one over it."""
    server = Served(store, app)
    try:
        yield server
    finally:
        server.close()


class _Exchange:
    """One request: handled by the application, its answer sent unless something happens to it."""

    def __init__(self, handler: BaseHTTPRequestHandler, owner: Served, runner: asyncio.Runner) -> None:
        self.handler = handler
        self.owner = owner
        self.runner = runner
        self.left = int(handler.headers.get("Content-Length") or 0)
        self.status = 0
        self.head: list[tuple[bytes, bytes]] = []
        self.body: list[bytes] = []
        self.streaming = True
        self.whole = False

    def handle(self) -> None:
        """Run the application and send its answer."""
        url = urlsplit(self.handler.path)
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": self.handler.command,
            "scheme": "http",
            "path": unquote(url.path),
            "raw_path": url.path.encode(),
            "query_string": url.query.encode(),
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in self.handler.headers.items()],
            "client": self.handler.client_address,
            "server": ("127.0.0.1", 0),
        }
        self.runner.run(self.owner.app(scope, self._receive, self._send))

    def drop(self) -> None:
        """Close the connection."""
        self.handler.close_connection = True

    async def _receive(self) -> dict[str, Any]:
        if self.left < 0:
            return {"type": "http.disconnect"}
        data = await asyncio.to_thread(self.handler.rfile.read1, min(self.left, 1 << 20)) if self.left else b""
        self.owner.received += len(data)
        if self.left and not data:
            self.left = -1
            return {"type": "http.disconnect"}
        self.left -= len(data)
        if self.whole:
            await asyncio.Event().wait()  # nothing comes any more; whoever waits for it is cancelled
        self.whole = self.left == 0
        return {"type": "http.request", "body": data, "more_body": self.left > 0}

    async def _send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status, self.head = message["status"], list(message["headers"])
            if self.streaming:
                self.send_head()
            return
        data = message.get("body", b"")
        self.owner.sent += len(data)
        if self.streaming:
            self.handler.wfile.write(data)
        else:
            self.body.append(data)

    def send_head(self) -> None:
        self.handler.send_response_only(self.status)
        for name, value in self.head:
            self.handler.send_header(name.decode(), value.decode())
        if self.status == 204:
            self.handler.send_header("Content-Length", "0")
        if self.left:
            self.handler.send_header("Connection", "close")
        self.handler.end_headers()


def cut_before(exchange: _Exchange) -> None:
    """The connection is lost before the server does anything."""
    exchange.drop()


def cut_amid(exchange: _Exchange) -> None:
    """The connection is lost when half of the request is there."""
    half, receive = exchange.left // 2, exchange._receive

    async def received() -> dict[str, Any]:
        return {"type": "http.disconnect"} if exchange.left < half else await receive()

    exchange._receive = received  # type: ignore[method-assign]
    exchange.streaming = False
    exchange.handle()
    exchange.drop()


def cut_after(exchange: _Exchange) -> None:
    """The server does its work; its answer is lost."""
    exchange.streaming = False
    exchange.handle()
    exchange.drop()


def cut_within(exchange: _Exchange) -> None:
    """The answer ends in its middle."""
    exchange.streaming = False
    exchange.handle()
    exchange.send_head()
    body = b"".join(exchange.body)
    exchange.handler.wfile.write(body[: len(body) // 2])
    exchange.drop()


def silent_after(exchange: _Exchange) -> None:
    """The server does its work and never answers."""
    exchange.streaming = False
    exchange.handle()
    exchange.owner.stopping.wait(30)
    exchange.drop()


def answering(status: int, retry_after: str | None = None) -> Fault:
    """Something between says this instead of the server."""

    def fault(exchange: _Exchange) -> None:
        # Said before it is done, or the client may or may not notice in time that the connection is gone.
        exchange.status, exchange.head = status, [(b"Content-Length", b"0"), (b"Connection", b"close")]
        if retry_after is not None:
            exchange.head.append((b"Retry-After", retry_after.encode()))
        exchange.send_head()
        exchange.drop()

    return fault


def _handler(owner: Served) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        # As large as a header with the first piece, so that small answers are one packet.
        wbufsize = 1 << 16

        def handle(self) -> None:
            # One loop for all requests of a connection: to make one takes as long as to answer a small request.
            with asyncio.Runner() as self.runner:
                super().handle()

        def _serve(self) -> None:
            exchange = _Exchange(self, owner, self.runner)
            fault = owner.next_fault(urlsplit(self.path).path)
            try:
                (fault or _Exchange.handle)(exchange)
                self.wfile.flush()
            except (BrokenPipeError, ConnectionResetError):
                exchange.drop()
            if exchange.left:
                exchange.drop()

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = _serve

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler
