"""Opening the lab that a command works on, and finding the object that it names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from gnode_orm.cli.failures import WrongUse
from gnode_orm.errors import NotFound, ValidationFailed

if TYPE_CHECKING:
    from gnode_orm.location import Location
    from gnode_orm.session import Session
    from gnode_orm.stores.local.accounts import Accounts


def open_session(lab: str | None, user: str | None, *, readonly: bool = False) -> Session:
    """Open a session on a lab that exists.

    Raises:
        WrongUse: no lab is named, neither here nor in the settings.
        NotFound: there is no lab where it is said to be.
    """
    from gnode_orm.session import Session

    return Session(lab or _default_lab(), username=user, create=False, readonly=readonly)


def _default_lab() -> str:
    from gnode_orm.session.lab import configuration_file, default_target

    try:
        return default_target()
    except NotFound:
        raise WrongUse(
            "No lab was named and there is no ./lab. Give one with --lab, set GNODE_ORM_TARGET, write target = '...' "
            f"into {configuration_file()}, or make one here: gnode-orm init lab"
        ) from None


@contextmanager
def open_accounts(lab: str, arrays: str | None, readonly: bool = False) -> Iterator[Accounts]:
    """Open the accounts of a lab that exists."""
    from gnode_orm.session.lab import default_arrays
    from gnode_orm.stores.local import open_local

    store = open_local(lab, create=False, readonly=readonly, arrays=arrays or default_arrays(lab))
    try:
        yield store.accounts
    finally:
        store.close()


def location_of(text: str) -> Location:
    """Read an address in any of its forms.

    Raises:
        WrongUse: the text is no address.
    """
    from gnode_orm.location import Location

    try:
        return Location(text.strip())
    except ValidationFailed as error:
        raise WrongUse(f"{error} (gnode-orm ls and gnode-orm query show locations)") from None


def find(session: Session, text: str) -> Any:
    """Get the object at an address.

    Raises:
        NotFound: there is none, or it is not shared with the user.
    """
    location = location_of(text)
    obj = session.get(location)
    if obj is None:
        raise NotFound(
            f"No {location.kind} {location.id} in {session.store.target}, or it is not shared with {session.user}; "
            f"gnode-orm query {location.kind} lists those that you can see"
        )
    return obj
