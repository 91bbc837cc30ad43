"""The one door to the odml library, which changes things for the whole process when it is imported and used.

On import it replaces ``warnings.formatwarning``; its constructors and setters print what they object to, and setting
``link``, ``include`` or ``repository`` merges sections or goes to the network. So it is imported here alone, and
objects are made bare, with their attributes set past those setters.
"""

from __future__ import annotations

import warnings
from typing import Any


def odml_library() -> Any:
    """Import odml without its effect on the format of warnings."""
    formatting = warnings.formatwarning
    try:
        import odml
    finally:
        warnings.formatwarning = formatting
    return odml


def kind_of_native(native: Any) -> str | None:
    """Give ``"document"``, ``"section"`` or ``"property"`` for an odml object, ``None`` for anything else."""
    odml = odml_library()
    classes = {
        "document": odml.doc.BaseDocument,
        "section": odml.section.BaseSection,
        "property": odml.property.BaseProperty,
    }
    return next((kind for kind, cls in classes.items() if isinstance(native, cls)), None)


def bare_native(kind: str, attributes: dict[str, Any]) -> Any:
    """Make an odml object of a kind and set its private attributes as they are given."""
    odml = odml_library()
    # A section needs a name and a type, or its constructor prints.
    native = {"document": odml.Document, "section": odml.Section, "property": odml.Property}[kind]()
    for name, value in attributes.items():
        setattr(native, name, value)
    return native


def hang_section(parent: Any, child: Any) -> None:
    """Append a section; the list's own ``append`` compares with every member."""
    list.append(parent._sections, child)
    child._parent = parent


def hang_property(parent: Any, child: Any) -> None:
    """Append a property; the list's own ``append`` compares with every member."""
    list.append(parent._props, child)
    child._parent = parent


def own_members(section: Any, members: Any) -> list[Any]:
    """Give the members of a section's list, without what a resolved link or include copied into it."""
    everything = list(members)
    if getattr(section, "_merged", None) is None:
        return everything
    return [member for member in everything if not _is_copy(member)]


def _is_copy(member: Any) -> bool:
    original = getattr(member, "_merged", None)
    if original is None:
        return False
    try:
        return bool(member == original)
    except RecursionError:
        # odml compares recursively; what is too deep to compare is kept.
        return False
