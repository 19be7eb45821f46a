"""Thousands of specimens are drawn once, kept outside the course's folder, and cleared on demand."""

import os
import warnings

import pytest
import torch

from cs_vis import cache, doctor, specimens
from cs_vis.specimens.collection import kept, owner
from cs_vis.specimens.draw import in_chunks


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("CS_VIS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def drawings(monkeypatch):
    """How often something was drawn."""
    drawn = []

    def counted(*args, **kwargs):
        drawn.append(args[1])
        return in_chunks(*args, **kwargs)
    monkeypatch.setitem(specimens.collection.__globals__, "in_chunks", counted)
    return drawn


def test_it_is_what_batch_draws(folder):
    found = specimens.collection(5, seed=3, progress=False)
    images, labels, masks, parts, facts = specimens.batch(5, 3, parts=True, facts=True)
    assert torch.equal(found.pictures.float() / 255, images)
    assert torch.equal(found.labels, labels) and found.facts == facts
    assert torch.equal(found.owners > 0, masks)
    for label, owners, own in zip(labels, found.owners, parts):
        for place, name in enumerate(specimens.part_names(specimens.class_names[label]), 1):
            assert torch.equal(owners == place, own[name])


def test_it_is_drawn_once_and_fewer_come_from_more(drawings):
    first = specimens.collection(4, seed=3, progress=False)
    again = specimens.collection(4, seed=3, progress=False)
    fewer = specimens.collection(2, seed=3, progress=False)
    assert drawings == [4]
    assert torch.equal(first.pictures, again.pictures) and first.facts == again.facts
    assert torch.equal(fewer.owners, first.owners[:2]) and fewer.facts == first.facts[:2]
    specimens.collection(6, seed=3, progress=False)
    specimens.collection(2, seed=4, progress=False)
    assert drawings == [4, 6, 2]


def test_another_hand_draws_anew(drawings, monkeypatch):
    specimens.collection(2, progress=False)
    monkeypatch.setitem(kept.__globals__, "hand", lambda: "other")
    specimens.collection(2, progress=False)
    assert drawings == [2, 2] and len(cache.files()) == 2


@pytest.mark.parametrize("damage", [lambda file: file.write_bytes(b""),
                                    lambda file: os.truncate(file, file.stat().st_size - 100),
                                    lambda file: file.write_bytes(b"x" * 1000)])
def test_a_damaged_file_is_drawn_anew(folder, drawings, damage):
    first = specimens.collection(2, progress=False).pictures.clone()
    damage(cache.files()[0])
    assert torch.equal(specimens.collection(2, progress=False).pictures, first)
    specimens.collection(2, progress=False)
    assert drawings == [2, 2] and len(cache.files()) == 1


def test_a_folder_that_cannot_be_written_is_said(folder, monkeypatch):
    folder.write_text("a file where the folder should be")
    with pytest.warns(UserWarning, match="set CS_VIS_CACHE to a folder that can be written"):
        found = specimens.collection(2, progress=False)
    assert found.pictures.shape == (2, 3, 128, 128)


def test_a_full_disk_leaves_nothing(folder, monkeypatch):
    def full(tensors, file, metadata):
        file.write_bytes(b"half")
        raise OSError(28, "No space left on device")
    monkeypatch.setitem(specimens.collection.__globals__, "save_file", full)
    with pytest.warns(UserWarning, match="No space left"):
        specimens.collection(2, progress=False)
    assert not list(folder.iterdir())


def test_the_doctor_says_where_and_how_much_and_clears(folder):
    assert f"{folder}: nothing" in dict(doctor.caches()[0])["drawn specimens"]
    specimens.collection(2, progress=False)
    (folder / "mine.txt").write_text("not the course's")
    said = dict(doctor.caches()[0])
    assert str(folder) in said["drawn specimens"] and "1 file, 0.1 MB" in said["drawn specimens"]
    assert "checkpoints" in said["torch's networks"]
    assert doctor.clear() == f"deleted 0.1 MB in {folder}"
    assert [file.name for file in folder.iterdir()] == ["mine.txt"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        specimens.collection(2, progress=False)


def test_where_it_lies_without_being_told(monkeypatch, tmp_path):
    monkeypatch.delenv("CS_VIS_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.folder() == tmp_path / "cs_vis"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache.folder() == tmp_path / ".cache" / "cs_vis" or os.name == "nt"


@pytest.mark.parametrize("given, error", [((0,), ValueError), ((2.5,), TypeError),
                                          ((True,), TypeError)])
def test_what_is_no_number_of_specimens_is_refused(given, error):
    with pytest.raises(error, match="n="):
        specimens.collection(*given)


def test_nobody_owns_what_no_part_covers():
    parts = {"body": torch.tensor([[True, False, False]]).numpy(),
             "head": torch.tensor([[False, True, False]]).numpy()}
    assert owner(parts).tolist() == [[1, 2, 0]]
