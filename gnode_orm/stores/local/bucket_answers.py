"""What a store that speaks S3 answers when something goes wrong, in our words."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from obstore import exceptions

from gnode_orm.errors import FormatError, StoreUnavailable

# Where a machine of Amazon is asked for credentials when the environment holds none.
_METADATA = "169.254.169.254"
# The threads of obstore do not come along into a forked process, and a call there would wait for ever.
_process = os.getpid()


class Answers:
    """The answers of one bucket.

    Args:
        shown: address of the bucket.
        endpoint: address of the store, empty for Amazon's.
    """

    def __init__(self, shown: str, endpoint: str) -> None:
        self.shown = shown
        self._endpoint = endpoint

    @contextmanager
    def said(self) -> Iterator[None]:
        """Say in our words what the store answers; an object that is not there stays ``FileNotFoundError``."""
        if os.getpid() != _process:
            raise StoreUnavailable(
                f"{self.shown}: buckets were used in the process from which this one was forked; start processes by "
                "multiprocessing.get_context('spawn')"
            )
        try:
            yield
        except (exceptions.BaseError, FileNotFoundError) as error:
            said = self._translated(error)
            if said is error:
                raise
            raise said from error

    def _translated(self, error: Exception) -> Exception:
        text = str(error)
        found = re.search("<Code>(.*?)</Code>", text)
        code = found[1] if found else ""
        place = f"{self.shown} at {self._endpoint or 'Amazon S3'}"
        if code == "NoSuchBucket":
            return StoreUnavailable(f"{place}: there is no such bucket; make it, or name another one in arrays=")
        refused = isinstance(error, exceptions.PermissionDeniedError | exceptions.UnauthenticatedError)
        if refused or _METADATA in text:
            return StoreUnavailable(
                f"{place}: the store refuses these credentials ({code or 'none were found'}); see AWS_ACCESS_KEY_ID, "
                "AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN and what they may do with the bucket"
            )
        if code == "InvalidRange":
            return FormatError(f"{place}: an array ends too early; restore it from a backup")
        if isinstance(error, FileNotFoundError):
            return error
        said = f"{code} {_message(text)}".strip()
        return StoreUnavailable(f"{place} does not answer as it should ({said}); see AWS_ENDPOINT_URL and the network")


def _message(text: str) -> str:
    found = re.search("<Message>(.*?)</Message>", text)
    return found[1] if found else text.partition("\n")[0]
