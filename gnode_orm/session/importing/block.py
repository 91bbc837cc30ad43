"""Making a block of one block of a recording: converted, completed with names and metadata, and judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gnode_orm.files.path_text import path_text
from gnode_orm.session.importing.options import ImportOptions
from gnode_orm.session.importing.refusing import left_out, refusal

if TYPE_CHECKING:
    from gnode_orm.files.recordings import Recording
    from gnode_orm.files.validation import Report
    from gnode_orm.models import Block


@dataclass
class MadeBlock:
    """A block that can be stored.

    Attributes:
        document: the document made from the template beside it, or ``None``.
        report: what the validation found doubtful.
        left_out: what was left out of it, with the reason.
    """

    block: Block
    document: Any
    report: Report
    left_out: list[str]


def block_of(native: Any, recording: Recording, number: int, options: ImportOptions) -> MadeBlock:
    """Make and judge the block; with ``force``, leave out what has errors.

    Raises:
        ValidationFailed: it has errors.
    """
    from gnode_orm.convert.neo import convert
    from gnode_orm.files.leaving_out import conversion_without_refused, culprits_of, leave_out
    from gnode_orm.files.validation import validate
    from gnode_orm.files.validation.walk import walk

    gone: list[str] = []
    while True:
        if options.force:
            conversion, refused = conversion_without_refused(native)
            gone += refused
        else:
            conversion = convert(native)
        block: Any = conversion.model
        document = complete(block, recording, number, options)
        report = validate(block, template=options.template)
        if report.ok:
            return MadeBlock(block, document, report, gone)
        places = dict(walk(block, block.kind))
        culprits = culprits_of(report.errors, places, conversion.pairs) if options.force else []
        if not culprits:
            raise refusal(report)
        gone += left_out(report)
        leave_out(native, culprits)


def complete(block: Any, recording: Recording, number: int, options: ImportOptions) -> Any:
    """Give a block names and metadata; the document that was made from the template, if there is one."""
    _fill_names(block, name_of_block(recording, number))
    if number in options.names:
        block.name = options.names[number]
    template = options.template
    beside = template is not None and template.is_document
    for key in template.unmatched(options.metadata) if template and beside else options.metadata:
        block.annotations[key] = options.metadata[key]
    if template is None or not beside:
        return None
    document, block.metadata = template.document(block.name, options.metadata)
    return document


def name_of_block(recording: Recording, number: int) -> str:
    """The name for a block whose file gives it none."""
    name = path_text(recording.path.name if recording.path.is_dir() else recording.path.stem)
    return f"{name} block {number + 1}" if recording.block_count > 1 else name


def _fill_names(block: Block, name: str) -> None:
    from gnode_orm.convert.filled_names import fill_name

    fill_name(block, name)
    width = len(str(len(block.segments)))
    for number, segment in enumerate(block.segments, start=1):
        fill_name(segment, f"{name} sweep {number:0{width}}")
