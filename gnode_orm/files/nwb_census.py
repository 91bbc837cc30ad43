"""What neo's reader of NWB passes over without a word: said in a warning, or refused where numbers would be wrong."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

from gnode_orm.errors import FormatError

_NAMED = 5


def take_stock(session: Any) -> None:
    """Warn of what stands in a file and is not read by neo.

    Raises:
        FormatError: values have an offset, or a factor for each channel, which neo leaves out.
    """
    for series in _read_series(session):
        if series.offset or getattr(series, "channel_conversion", None) is not None:
            raise FormatError(f"neo would leave the offset or the factors of channels of {series.name!r} out")
    left = list(_passed_over(session))
    if left:
        more = f" and {len(left) - _NAMED} more" if len(left) > _NAMED else ""
        warnings.warn(
            f"neo passes over {', '.join(left[:_NAMED])}{more}; reader='pynwb' reads what it can of them", stacklevel=2
        )


def _read_series(session: Any) -> list[Any]:
    import pynwb

    items = [*session.acquisition.values(), *session.stimulus.values()]
    return [item for item in items if isinstance(item, pynwb.TimeSeries)]


def _passed_over(session: Any) -> Iterator[str]:
    import pynwb
    from hdmf.common import DynamicTable

    taken = {id(item) for item in (*_read_series(session), session.epochs, session.units)}
    for item in sorted(session.objects.values(), key=lambda item: str(item.name)):
        series = isinstance(item, pynwb.TimeSeries | pynwb.base.Images)
        table = isinstance(item, DynamicTable) and len(item) > 0
        if id(item) not in taken and (series or table):
            yield f"{type(item).__name__} {str(item.name)!r}"
