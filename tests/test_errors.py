from __future__ import annotations

import inspect

import pytest

from gnode_orm import errors
from gnode_orm.errors import GnodeError, GnodeWarning, ValidationFailed, did_you_mean

RAISED = [item for item in vars(errors).values() if inspect.isclass(item) and issubclass(item, GnodeError)]


@pytest.mark.parametrize("error", RAISED)
def test_every_error_stands_in_the_tree_of_the_docstring(error: type[GnodeError]) -> None:
    assert error.__name__ in (errors.__doc__ or "")


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (errors.ValidationFailed, ValueError),
        (errors.UnknownField, AttributeError),
        (errors.ReadOnlyField, AttributeError),
        (errors.ReadOnlyField, TypeError),
        (errors.SessionError, RuntimeError),
        (errors.NotFound, LookupError),
        (errors.AccessDenied, PermissionError),
        (errors.StoreUnavailable, ConnectionError),
        (errors.FormatError, ValueError),
    ],
)
def test_an_error_is_also_the_builtin_that_a_caller_expects(error: type[GnodeError], builtin: type[Exception]) -> None:
    assert issubclass(error, builtin)


def test_everything_exported_is_an_error_a_warning_or_the_hint() -> None:
    for name in set(errors.__all__) - {"did_you_mean"}:
        assert issubclass(getattr(errors, name), (GnodeError, GnodeWarning))


@pytest.mark.parametrize("error", [errors.AccessDenied, errors.StoreUnavailable])
def test_errors_of_the_system_show_their_message_alone(error: type[GnodeError]) -> None:
    assert str(error("the disk is full")) == "the disk is full"


def test_a_failed_validation_lists_its_field_once() -> None:
    failure = ValidationFailed("no", entity="Block", field="name", value=3)
    assert failure.errors == [("name", "no")]


def test_the_nearest_known_word_is_suggested() -> None:
    assert did_you_mean("nmae", ["name", "index"]) == "; did you mean 'name'?"
    assert did_you_mean("xyz", ["name", "index"]) == ""


def test_a_conflict_without_a_session_cannot_be_resolved() -> None:
    with pytest.raises(errors.SessionError, match="no longer belongs"):
        errors.ConflictError("changed").resolve("mine")
