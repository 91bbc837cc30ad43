"""Labs: a store opened once, and the sessions over it."""

from __future__ import annotations

import getpass
import logging
import os
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self

from gnode_orm.core.entity import Entity
from gnode_orm.core.shortened import brief
from gnode_orm.errors import FormatError, NotFound, SessionError, UnsupportedByStore, ValidationFailed
from gnode_orm.session.hooks import Hooks
from gnode_orm.session.session import Session
from gnode_orm.session.sharing import check_name
from gnode_orm.stores.protocol import Store

_LOG = logging.getLogger("gnode_orm")


class Lab:
    """An open lab. Safe to share between threads; open one session a thread or request from it.

    A context manager: leaving closes it.
    """

    def __init__(self, store: Store, user: str | None = None) -> None:
        if not hasattr(store, "apply"):
            raise ValidationFailed(f"{brief(store)} is no store; connect() opens one", field="store", value=store)
        self.store = store
        self.user = user or default_user()
        check_name(self.user)
        self.hooks = Hooks()
        """Hooks of every session over this lab; ``on`` adds to them."""

    def session(self, at: Any = None, readonly: bool = False) -> Session:
        """Open a session; with ``at`` (an aware datetime or a commit) a read-only one on the state of then."""
        return Session(lab=self, at=at, readonly=readonly)

    def on(self, event: str, hook: Callable[..., Any], model: type[Entity] = Entity) -> None:
        """Call ``hook`` at every ``event`` of every session over this lab, before those of the session.

        What it is called with is told at ``Session.on``. Sessions of several threads call it at the same time.
        """
        self.hooks.register(event, hook, model)

    def close(self) -> None:
        """Close the store."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Lab {self.store.target} as {self.user}>"

    def __reduce__(self) -> NoReturn:
        raise SessionError("A lab can neither be copied nor sent to another process: call connect() there")


def connect(
    target: Any,
    *,
    username: str | None = None,
    password: str | None = None,
    token: str | None = None,
    arrays: Any = None,
    create: bool = True,
) -> Lab:
    """Open a lab once, for many sessions.

    ``target`` is a directory (made when missing, unless ``create`` is false), ``":memory:"``, or a database URL such as
    ``postgresql+psycopg://...`` with ``arrays`` naming a directory or a bucket (``s3://bucket/prefix``), or the address
    of a server (``https://...``) with ``username`` and ``password``, or a ``token``; without, those of the
    environment (``GNODE_ORM_TOKEN``, ``GNODE_ORM_PASSWORD``) or the token that ``gnode-orm login`` keeps.

    Raises:
        AuthenticationFailed: the server does not know the user.
        NotFound: there is no lab, and none is to be made.
        FormatError: the lab has another format than this version opens; the message says what to do.
        StoreUnavailable: the lab cannot be reached or written.
    """
    return open_lab(target, username=username, password=password, token=token, arrays=arrays, create=create)


def open_lab(
    target: Any,
    *,
    username: str | None,
    password: str | None,
    token: str | None,
    arrays: Any,
    create: bool,
    readonly: bool = False,
) -> Lab:
    """Open the lab that a session was asked for; settings fill in what is not given.

    Raises:
        ValidationFailed: the target is no folder or address.
        UnsupportedByStore: a password or a token for a local lab.
    """
    if target is not None and not isinstance(target, str | os.PathLike):
        raise ValidationFailed(
            f"{target!r} is no lab; give a folder, a database address or that of a server", value=target
        )
    target = os.fspath(target) if target is not None else default_target()
    if target.startswith(("http://", "https://")):
        return _open_remote(target, username, password, token, readonly)
    if password is not None or token is not None:
        raise UnsupportedByStore(f"{target}: a local lab has no passwords and tokens; give username alone")
    from gnode_orm.stores.local import open_local

    if arrays is None:
        arrays = default_arrays(target)
    user = username or _setting("USERNAME") or default_user()
    check_name(user)  # before anything is made or opened
    return Lab(open_local(target, create=create, readonly=readonly, arrays=arrays), user)


def _open_remote(address: str, username: str | None, password: str | None, token: str | None, readonly: bool) -> Lab:
    from gnode_orm.stores.rest import open_rest

    if password is None and token is None:
        username, password, token = _kept_credentials(address, username)
    store = open_rest(address, username=username, password=password, token=token, readonly=readonly)
    return Lab(store, store.user)


def _kept_credentials(address: str, username: str | None) -> tuple[str | None, str | None, str | None]:
    """Find name and password, or a token: in the environment, and then what ``gnode-orm login`` keeps."""
    if token := os.environ.get("GNODE_ORM_TOKEN"):
        return username, None, token
    if password := os.environ.get("GNODE_ORM_PASSWORD"):
        return username or _setting("USERNAME"), password, None
    from gnode_orm.stores.rest.kept_tokens import kept_token

    return username, None, kept_token(address)


def default_target() -> str:
    """Find the lab that is meant when none is named: the environment, the configuration file, then ``./lab``.

    Raises:
        NotFound: none of these names one; the message says what to do.
    """
    named = _setting("TARGET")
    if named is not None:
        return named
    if Path("lab").is_dir():
        return "lab"
    raise NotFound(
        "No lab was named. Give one, such as Session('./lab'), set GNODE_ORM_TARGET, or write target = '...' into "
        f"{configuration_file()}"
    )


def default_user() -> str:
    """Give the user name of the settings, or else of the operating system."""
    return _setting("USERNAME") or getpass.getuser()


def default_arrays(target: str) -> str | None:
    """Give the place that the settings have for the large arrays of a lab in a database; other labs keep theirs."""
    return _setting("ARRAYS") if "://" in target else None


def configuration_file() -> Path:
    """Give the path of the configuration file (TOML with ``target`` and ``username``)."""
    import platformdirs

    return Path(platformdirs.user_config_dir("gnode-orm")) / "config.toml"


def _setting(name: str) -> str | None:
    value = os.environ.get(f"GNODE_ORM_{name}")
    if value:
        return value
    path = configuration_file()
    if not path.is_file():
        return None
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8")).get(name.lower())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FormatError(f"{path} is not TOML: {error}") from None
    if found is not None and not isinstance(found, str):
        raise ValidationFailed(f"{path}: {name.lower()} = {found!r}: text in quotes is needed", value=found)
    return found
