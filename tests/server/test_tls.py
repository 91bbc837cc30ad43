"""Encrypted connections: a certificate that is trusted works, any other gives one clear error."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trustme

from gnode_orm import AnalogSignalArray, Session
from gnode_orm.errors import StoreUnavailable
from gnode_orm.server import serving
from tests.server.test_serving import Served, lab, token

__all__ = ["lab", "token"]
SAMPLES = np.arange(300_000, dtype="<i2").reshape(-1, 4)


def certified(folder: Path, name: str) -> tuple[Path, Path, Path]:
    """Give the files of an authority, of a certificate by it for a name, and of its key."""
    authority = trustme.CA()
    issued = authority.issue_cert(name)
    trusted, certificate, key = (folder / f"{name}-{part}.pem" for part in ("ca", "cert", "key"))
    authority.cert_pem.write_to_path(trusted)
    issued.cert_chain_pems[0].write_to_path(certificate)
    issued.private_key_pem.write_to_path(key)
    return trusted, certificate, key


@pytest.fixture
def secured(lab: Path, token: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple[Served, Path]]:
    trusted, certificate, key = certified(tmp_path, getattr(request, "param", "127.0.0.1"))
    with warnings.catch_warnings():
        # Waiting for the server to come up is without looking at its certificate.
        warnings.filterwarnings("ignore", "Unverified HTTPS request")
        server = Served(lab, workers=1, certificate=certificate, key=key)
    yield server, trusted
    server.stop()


def test_a_lab_is_served_with_tls_to_those_who_trust_its_certificate(secured, token, monkeypatch):
    server, trusted = secured
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(trusted))
    with Session(server.url, token=token) as session:
        assert (session.user, session.store.target) == ("ann", server.url)
        signal = session.add(AnalogSignalArray((SAMPLES, "mV"), sampling_rate=(1, "kHz")))
        session.commit()
        assert np.array_equal(signal.signal[1000:2000, 1].magnitude, SAMPLES[1000:2000, 1])


def test_a_certificate_that_nobody_vouches_for_is_one_clear_error(secured, token, monkeypatch):
    server, _ = secured
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    with pytest.raises(StoreUnavailable, match=rf"^The certificate of {server.url} is not trusted \(.*verify failed"):
        Session(server.url, token=token)


@pytest.mark.parametrize("secured", ["other.example"], indirect=True)
def test_a_certificate_of_another_computer_is_one_clear_error(secured, token, monkeypatch):
    server, trusted = secured
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(trusted))
    with pytest.raises(StoreUnavailable, match=r"^The certificate of .* is not trusted \(.*127\.0\.0\.1"):
        Session(server.url, token=token)


class _Stopped(Exception):
    pass


@pytest.mark.parametrize(
    ("host", "encrypted", "warned"),
    [("0.0.0.0", False, True), ("0.0.0.0", True, False), ("127.0.0.1", False, False)],
)
def test_serving_beyond_this_computer_without_tls_warns(lab, tmp_path, monkeypatch, host, encrypted, warned):
    def stop(*_: Any, **options: Any) -> None:
        raise _Stopped

    written: list[str] = []
    monkeypatch.setattr("gnode_orm.server.workers.KeptAlive", stop)
    monkeypatch.setattr(serving._LOG, "warning", lambda text, *values: written.append(text % values))
    monkeypatch.setattr(serving, "write_log", lambda: logging.getLogger("gnode_orm"))
    _, certificate, key = certified(tmp_path, "127.0.0.1")
    files = {"certificate": certificate, "key": key} if encrypted else {}
    with pytest.raises(_Stopped):
        serving.serve(str(lab), host=host, **files)
    assert [text.startswith(f"Serving on {host} without TLS") for text in written] == [True] * warned
