from __future__ import annotations

import socket
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

from gnode_orm import Session, validate
from gnode_orm.convert.odml import from_odml, to_odml
from gnode_orm.files.odml import read_odml, write_odml


def test_importing_odml_leaves_the_format_of_warnings_alone() -> None:
    script = """
import sys, warnings
before = warnings.formatwarning
from gnode_orm import Section
assert "odml" not in sys.modules
Section(name="s", type="t").to_odml()
assert "odml" in sys.modules
assert warnings.formatwarning is before
"""
    run = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


@pytest.mark.trap(34)
def test_nothing_is_printed_and_nothing_asked_of_the_network(
    rich: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    rich.sections[0].type = None
    rich.sections[0].properties[0]._dtype = "unheard of"
    rich.sections[0]._sec_cardinality = (5, 6)
    capsys.readouterr()

    def refuse(*args: Any) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    before = warnings.formatwarning
    model: Any = from_odml(rich)
    back = to_odml(model)
    assert validate(rich).issues
    for suffix in (".xml", ".json", ".yaml"):
        write_odml(model, tmp_path / f"out{suffix}")
        read_odml(tmp_path / f"out{suffix}").document.to_odml()
    with Session(":memory:") as session:
        session.add(rich)
        session.commit()
    assert (back.sections[0].type, back.sections[0].sec_cardinality) == (None, (5, 6))
    assert capsys.readouterr() == ("", "")
    assert warnings.formatwarning is before
