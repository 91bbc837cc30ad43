"""The command ``serve``: answer the REST API over a lab."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gnode_orm.cli.options import ArraysOption
from gnode_orm.cli.output import note
from gnode_orm.errors import UnsupportedByStore

_LabArgument = Annotated[str, typer.Argument(metavar="LAB", help="A folder or a database address.")]


def serve(
    lab: _LabArgument,
    host: Annotated[str, typer.Option("--host", help="Address to listen on; 0.0.0.0 for every one.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port to listen on.")] = 8000,
    workers: Annotated[int, typer.Option("--workers", min=1, max=256, help="Processes that answer.")] = 1,
    certificate: Annotated[
        Path | None, typer.Option("--tls-cert", metavar="FILE", help="Certificate (PEM) for TLS.", show_default=False)
    ] = None,
    key: Annotated[
        Path | None, typer.Option("--tls-key", metavar="FILE", help="Key (PEM) of the certificate.", show_default=False)
    ] = None,
    proxies: Annotated[
        list[str] | None,
        typer.Option(
            "--proxy",
            metavar="ADDRESS",
            help="A proxy in front that is believed about who asks, and whether by TLS; may be given several times.",
            show_default=False,
        ),
    ] = None,
    arrays: ArraysOption = None,
) -> None:
    """Share a lab over the network until Ctrl+C. Accounts are made with gnode-orm user add."""
    from gnode_orm.session.lab import default_arrays

    try:
        from gnode_orm.server import serving
    except ModuleNotFoundError as error:
        raise UnsupportedByStore(f"{error.name} is missing: pip install 'gnode-orm[server]'") from None

    scheme = "http" if certificate is None else "https"
    address = f"{scheme}://{host}:{port}"
    serving.serve(
        lab, arrays=arrays or default_arrays(lab), host=host, port=port, workers=workers, certificate=certificate,
        key=key, proxies=proxies or (), announce=lambda: note(f"Serving {lab} at {address}; see {address}/api/"),
    )  # fmt: skip
