"""How objects and classes show themselves."""

from __future__ import annotations

import inspect
import subprocess
import sys

import numpy as np
import pytest
import quantities as pq

from gnode_orm.models import MODELS, AnalogSignal, Block, Entity, Segment
from tests.core.tracking import PLACE, loaded


@pytest.mark.parametrize("model", MODELS.values())
def test_every_model_is_shown_in_one_line(model: type[Entity]) -> None:
    assert repr(model()).startswith(f"{model.__name__}(")
    assert "\n" not in repr(model())


def test_repr_is_one_line_and_follows_no_ring() -> None:
    block = Block("a\nb" + "x" * 100, description="long")
    segment = Segment("s", block=block)
    block.segments.append(segment)
    assert repr(segment) == str(segment) == "Segment(name='s', block=<new Block>)"
    assert "\n" not in repr(block)
    assert len(repr(block)) < 100
    assert repr(loaded(Segment("s", block=PLACE), location="segment/2DFA548ESC")) == (
        "Segment(name='s', block=<block/2DFA548ESC>, at segment/2DFA548ESC)"
    )
    assert dict(segment.__rich_repr__()) == {"name": "'s'", "block": "<new Block>"}


def test_what_would_have_to_be_read_again_is_shown_unread() -> None:
    block = loaded(Block("b"))
    block._expire()
    assert repr(block) == "Block(<not loaded>, at block/2DFA548ESC)"
    assert "<th>" not in block._repr_html_()


def test_repr_shows_arrays_by_shape() -> None:
    signal = AnalogSignal(np.zeros((1000, 2)) * pq.mV, sampling_rate=1 * pq.kHz)
    assert repr(signal) == "AnalogSignal(signal=<1000x2 float64 mV>, sampling_rate=1.0 kHz)"


def test_html_escapes_and_follows_no_ring() -> None:
    block = Block("<script>&", annotations={"<b>": "</td>"})
    Segment("s", block=block)
    html = block._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;&amp;" in html
    assert "<b>" not in html
    assert "1 loaded" in html
    assert "new Block" in block.segments[0]._repr_html_()


def test_looking_at_a_class_with_help_leaves_the_others_whole():
    script = (
        "import contextlib, io\n"
        "from gnode_orm import Block, Segment\n"
        "with contextlib.redirect_stdout(io.StringIO()) as text: help(Block)\n"
        "told = ''.join(text.getvalue().replace('|', '').split())\n"
        "assert 'Block(name:str=None,*,description:str=None' in told\n"
        "assert Segment('a', block=Block('b')).block.name == 'b'\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_tab_completion_offers_fields_and_nothing_of_pydantics_first_version():
    for names in (dir(Segment), dir(Segment("a"))):
        assert {"name", "block", "annotations", "analogsignals", "location", "to_neo", "model_dump"} <= set(names)
        assert not {"parse_obj", "construct", "dict"} & set(names)


def test_the_signature_names_each_field_with_its_type_in_a_word():
    signature = inspect.signature(AnalogSignal)
    assert str(signature.parameters["signal"]) == "signal: array = None"
    assert str(signature.parameters["gain"]) == "gain: float = None"
    assert str(signature.parameters["segment"]) == "segment: Segment = None"
    assert inspect.signature(Block).parameters["safety_level"].default == 3
    assert "ext" not in signature.parameters


def test_a_collection_is_a_table_in_notebooks():
    block = Block("b")
    Segment("<i>", block=block)
    html = block.segments._repr_html_()
    assert "Block.segments: 1 segment" in html
    assert "&lt;i&gt;" in html
