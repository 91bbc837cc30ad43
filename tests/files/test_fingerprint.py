"""The content of recordings as hashes."""

from __future__ import annotations

import hashlib
from pathlib import Path

from gnode_orm.files.fingerprint import fingerprint


def test_the_fingerprint_of_a_file_is_its_sha256(tmp_path: Path) -> None:
    (tmp_path / "a.abf").write_bytes(b"ABF2")
    assert fingerprint(tmp_path / "a.abf") == hashlib.sha256(b"ABF2").hexdigest()


def test_the_samples_beside_a_header_count(tmp_path: Path) -> None:
    header, samples = tmp_path / "a.vhdr", tmp_path / "a.eeg"
    header.write_text("the same")
    alone = fingerprint(header)
    samples.write_bytes(b"1")
    first = fingerprint(header)
    samples.write_bytes(b"2")
    (tmp_path / "a.txt").write_text("notes")
    assert len({alone, first, fingerprint(header)}) == 3


def test_in_a_folder_names_and_contents_count_and_its_own_name_does_not(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder / "sub").mkdir(parents=True)
        (tmp_path / folder / "sub" / "a.ncs").write_bytes(b"1")
    first = fingerprint(tmp_path / "one")
    assert fingerprint(tmp_path / "two") == first
    (tmp_path / "two" / "sub" / "a.ncs").rename(tmp_path / "two" / "sub" / "b.ncs")
    assert fingerprint(tmp_path / "two") != first
