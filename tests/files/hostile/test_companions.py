"""What a reader would open beside a file: headers lead to files of the same folder alone, and to no pipes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gnode_orm import Session
from gnode_orm.errors import FormatError
from tests.files.hostile.special_files import device


def brainvision(data: Path, folder: Path, data_file: str) -> Path:
    shutil.copytree(data / "brainvision-units", folder, copy_function=shutil.copyfile)
    header = folder / "test_units.vhdr"
    text = header.read_bytes()
    assert b"DataFile=test.eeg" in text
    header.write_bytes(text.replace(b"DataFile=test.eeg", b"DataFile=" + os.fsencode(data_file)))
    return header


def wfdb(data: Path, folder: Path, data_file: str) -> Path:
    shutil.copytree(data / "wfdb-mitbih-100", folder, copy_function=shutil.copyfile)
    header = folder / "100.hea"
    header.write_bytes(header.read_bytes().replace(b"100.dat", os.fsencode(data_file)))
    return header


@pytest.mark.parametrize("made", [brainvision, wfdb])
@pytest.mark.parametrize(
    ("names", "words"),
    [
        ("pipe", "pipe beside it is a pipe, socket or device, not a file"),
        ("zero", "zero beside it is a pipe, socket or device, not a file"),
        ("/dev/zero", "its header names '/dev/zero', which lies in another folder; put the files together"),
        ("../private", "its header names '../private', which lies in another folder; put the files together"),
    ],
)
def test_a_header_leads_to_files_beside_it_alone(
    data: Path, tmp_path: Path, made: Callable[..., Path], names: str, words: str
) -> None:
    (tmp_path / "private").write_bytes(bytes(1000))
    header = made(data, tmp_path / "set", names)
    os.mkfifo(header.parent / "pipe")
    device(header.parent / "zero")
    with Session(":memory:") as session, pytest.raises(FormatError, match=r"^[^\n]*$") as refused:
        session.import_file(header)
    assert str(refused.value).endswith(words)


def test_a_pipe_of_the_name_of_a_recording_is_not_opened(data: Path, tmp_path: Path) -> None:
    header = wfdb(data, tmp_path / "set", "100.dat")
    (header.parent / "100.atr").unlink()
    os.mkfifo(header.parent / "100.atr")
    with Session(":memory:") as session, pytest.raises(FormatError, match=r"100\.atr beside it is a pipe"):
        session.import_file(header)


def test_a_pipe_in_the_folder_of_a_recording_is_not_opened(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "recording"
    shutil.copytree(data / "openephys-binary" / "v0.6.x_neuropixels_multiexp_multistream", folder)
    place = next(folder.rglob("states.npy"))
    place.unlink()
    os.mkfifo(place)
    with Session(":memory:") as session, pytest.raises(FormatError, match=r"states\.npy beside it is a pipe"):
        session.import_file(folder)


def test_a_header_that_names_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "100.hea").write_text("100/2 2 360 1000\n100 500\n100 500\n")
    with Session(":memory:") as session, pytest.raises(FormatError, match=r"100\.hea: wfdb: RecursionError"):
        session.import_file(tmp_path / "100.hea")
