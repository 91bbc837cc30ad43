"""Writes the page of validation codes from the rules: ``python -m tests.docs.validation_page``."""

from __future__ import annotations

import inspect
from textwrap import fill

from gnode_orm.core.schema import SCHEMA
from gnode_orm.files.validation import RULES
from tests.docs.pages import ROOT

PAGE = ROOT / "docs/reference/validation.md"

HEAD = """# Validation codes

What `gnode_orm.validate` and every import look at. An error makes an import refuse the block; a warning is kept with
it, in `block.ext["import"]["warnings"]`; an info is no fault and is only shown.
[Import recordings](../howto/import.md#validate-first) tells how to run a validation, to add rules of your own, and to
demand metadata.

## Files and objects as a whole

### unreadable-file

**error.** No reader could read the file, or it is odML and broken. The message has the reason of each reader.

### unreadable-block

**error.** One block of a file with several could not be read; the others are judged.

### not-convertible

**error.** A neo or odML object holds something that could not be given back as it was, such as an annotation of a type
that nothing can store. The message has its path.

### multiple-parents

**error.** A neo object hangs in two places, a segment in two blocks or a signal in two segments. The message names
both.

### unit-refused

**error.** A unit whose text would lose its scale, that only the running program knows, or that is no time or rate where
one is needed. A factor belongs into `gain`.

### reader-message

**warning.** The reader reported something, or something had to be assumed: an unknown unit, a time without a zone,
an event repeated in each sweep, an empty result.

### section-cycle

**error.** A section is inside itself, so that it hangs in no document.

### required-missing

**error.** A [template](../howto/import.md#demand-metadata) demands something that is not there.

### recommended-missing

**warning.** A template recommends something that is not there.
"""
GROUPS = {
    "signal_rules": "Signals",
    "channel_rules": "Channels",
    "time_rules": "Spikes, events, epochs",
    "structure_rules": "How objects hang together",
    "metadata_rules": "Metadata",
}
TAIL = """
## What is judged otherwise than one might expect

* Counts of times and samples, members of another block, and the end of a train before its begin: an object that is
  wrong in these cannot be made at all, and `not-convertible` says so, with its path.
* A segment without a block is a warning: it is kept exactly, and may get its block later.
* Integer times with a broken end lose nothing here, but whoever rebuilds the train with neo loses the end: an error.
* Missing, constant and clipped samples are warnings; a rule of your own with the same code replaces ours, and may be an
  error from its own limit on.
* The unit of a signal is only held against names that say potential or current: recordings hold temperatures, pressures
  and positions beside these.
* Lengths of names and texts are only limited by the servers of the first version of the data API.
"""


def page() -> str:
    """The text of the page."""
    parts = [HEAD]
    for module, title in GROUPS.items():
        parts.append(f"## {title}\n")
        for code, (severity, kinds, text) in _rules(module).items():
            classes = ", ".join(SCHEMA[kind].class_name for kind in kinds)
            told = f"**{severity}**, {classes}. {text.replace('``', '`')}"
            parts.append(f"### {code}\n\n{fill(told, 120, break_long_words=False, break_on_hyphens=False)}\n")
    return "\n".join(parts) + TAIL


def _rules(module: str) -> dict[str, tuple[str, list[str], str]]:
    """The rules of a module by code: severity, kinds, why it matters."""
    found: dict[str, tuple[str, list[str], str]] = {}
    for kind, rules in RULES.items():
        for rule in rules:
            if rule.check.__module__ == f"gnode_orm.files.validation.{module}":
                text = " ".join((inspect.getdoc(rule.check) or "").split())
                found.setdefault(rule.code, (rule.severity, [], text))[1].append(kind)
    return found


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
