"""Running the application: worker processes, TLS, a log of one JSON object a line, and a graceful stop."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.types import ASGIApp

from gnode_orm.errors import ValidationFailed
from gnode_orm.server.app import create_app
from gnode_orm.stores.local import open_local
from gnode_orm.stores.rest.addresses import is_loopback

if TYPE_CHECKING:
    from gnode_orm.server.workers import KeptAlive

_TARGET, _ARRAYS, _PROXIES = "GNODE_ORM_SERVE_TARGET", "GNODE_ORM_SERVE_ARRAYS", "GNODE_ORM_SERVE_PROXIES"
_GRACE_SECONDS = 30
_PATIENCE_SECONDS = 20.0  # many a client gives up after 30, and would never hear that the lab is locked
_HEADER_MILLISECONDS = 10_000
_LOG = logging.getLogger("gnode_orm.server")
_JSON = json.JSONEncoder(default=str)
_FIELDS = ("request_id", "method", "path", "status", "milliseconds", "user", "client")


def serve(
    target: str, *, arrays: str | None = None, host: str = "127.0.0.1", port: int = 8000, workers: int = 1,
    certificate: Path | None = None, key: Path | None = None, proxies: Sequence[str] = (),
    announce: Callable[[], None] = lambda: None,
) -> None:  # fmt: skip
    """Serve a lab until a signal comes; running requests are finished.

    ``proxies`` are the addresses that are believed when they say, in ``X-Forwarded-For`` and ``X-Forwarded-Proto``,
    who asks them and whether by TLS. ``announce`` is called when nothing stands against serving.

    Raises:
        ValidationFailed: only one half of a certificate.
        NotFound: there is no lab.
    """
    if (certificate is None) != (key is None):
        raise ValidationFailed("TLS needs both a certificate and its key")
    write_log()
    # Opened and closed here, so that what is wrong with the lab is said once, before there are workers.
    open_local(target, create=False, arrays=arrays).close()
    announce()
    if certificate is None and not is_loopback(host):
        _LOG.warning(
            "Serving on %s without TLS: passwords and data can be read on the way. Give a certificate and its key, "
            "or put a proxy with TLS in front",
            host,
        )
    os.environ[_TARGET] = target
    os.environ[_ARRAYS] = arrays or ""
    os.environ[_PROXIES] = ",".join(proxies)
    _workers(host, port, workers, certificate, key).serve()


def _workers(host: str, port: int, workers: int, certificate: Path | None, key: Path | None) -> KeptAlive:
    from granian.constants import Interfaces
    from granian.http import HTTP1Settings

    from gnode_orm.server.workers import KeptAlive

    return KeptAlive(
        "gnode_orm.server.serving:worker",
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        workers=workers,
        # Requests wait for the database in threads of their own, so one runtime thread a worker is enough.
        backpressure=256,
        http1_settings=HTTP1Settings(header_read_timeout=_HEADER_MILLISECONDS),
        ssl_cert=certificate,
        ssl_key=key,
        workers_kill_timeout=_GRACE_SECONDS,
        log_enabled=False,
    )


def worker() -> ASGIApp:
    """Make the application of one worker process."""
    from granian.utils.proxies import wrap_asgi_with_proxy_headers

    write_log()
    arrays = os.environ[_ARRAYS] or None
    store = open_local(os.environ[_TARGET], create=False, arrays=arrays, patience=_PATIENCE_SECONDS)
    app = create_app(store, on_close=store.close)
    proxies = os.environ[_PROXIES]
    return wrap_asgi_with_proxy_headers(app, proxies.split(",")) if proxies else app


def write_log() -> None:
    """Write the server's log to standard error, one JSON object a line."""
    log = logging.getLogger("gnode_orm")
    if any(isinstance(handler.formatter, JsonLines) for handler in log.handlers):
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False


class JsonLines(logging.Formatter):
    """One JSON object for each record."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        line.update({name: getattr(record, name) for name in _FIELDS if hasattr(record, name)})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return _JSON.encode(line)
