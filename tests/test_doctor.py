"""The doctor names what is there, and says what to do about what is not."""

import os
import tomllib
from importlib import metadata

import pytest
import torch
from packaging.requirements import Requirement

from cs_vis import datasets, doctor
from cs_vis.course import ROOT


@pytest.fixture
def installed(monkeypatch):
    """Pretend that cs_vis asks for these packages."""
    def pretend(*requirements):
        monkeypatch.setattr(metadata, "requires", lambda name: list(requirements))
    return pretend


def test_a_healthy_place(installed, monkeypatch):
    installed("torch>=2.6", "numpy>=1.26", 'no_such_package; extra == "grading"')
    monkeypatch.setattr(doctor, "data", lambda: ([("gallery", "24 files")], []))
    monkeypatch.delenv("CS_VIS_WEIGHTS", raising=False)
    text = doctor.report()
    for part in ("cs_vis 0.", "Python 3.", f"torch            {torch.__version__.split('+')[0]}",
                 "no_such_package  not installed, optional", "gallery  24 files", "threads"):
        assert part in text
    assert text.endswith("All is well.")


def test_missing_and_old_packages_get_a_hint(installed):
    installed("no_such_package>=3", "torch>=99")
    _, hints = doctor.packages()
    assert hints[0] == "no_such_package is not installed: pip install 'no_such_package>=3'"
    assert hints[1].endswith("but >=99 is needed: pip install 'torch>=99'")


def test_what_is_called_too_old_is_never_well(installed, monkeypatch):
    """Not even where only an extra asks for it; one that is not there at all is a choice."""
    monkeypatch.setattr(doctor, "data", lambda: ([], []))
    installed('numpy>=99; extra == "notebook"', 'no_such_package; extra == "notebook"')
    said = doctor.report()
    assert "but >=99 is needed: pip install 'numpy>=99'" in said and "to do" in said
    assert "All is well" not in said and "no_such_package is" not in said


def test_colabs_ipywidgets_is_new_enough():
    """Colab ships 7.7.1, and the panels work with it."""
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    widgets, = (Requirement(text) for text in asked["optional-dependencies"]["notebook"]
                if text.startswith("ipywidgets"))
    assert widgets.specifier.contains("7.7.1") and widgets.specifier.contains("8.1.5")


def test_a_package_that_is_not_installed_itself(monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)
    monkeypatch.setattr(metadata, "requires", missing)
    assert doctor.packages()[1][0].startswith("cs_vis is not installed: run `pip install -e .`")


def test_missing_data_get_a_hint_each(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets, "FOLDERS", (tmp_path,))
    (tmp_path / "gallery").mkdir()
    monkeypatch.setenv("CS_VIS_WEIGHTS", str(tmp_path / "nowhere"))
    rows, hints = doctor.data()
    assert [name for name, value in rows if value == "missing"] == [
        'load_model("specimens")', 'load_model("specimens-robust")', "load_generator()", "goldens",
        "gallery", "deepdream", "filters_and_activations", "CS_VIS_WEIGHTS"]
    assert len(hints) == 8
    assert "specimens.safetensors" in hints[0] and "git checkout" in hints[4]
    assert "is not a folder; set it" in hints[7]


def test_the_weights_folder_is_listed(tmp_path, monkeypatch):
    monkeypatch.setenv("CS_VIS_WEIGHTS", str(tmp_path))
    assert dict(doctor.data()[0])["CS_VIS_WEIGHTS"] == f"{tmp_path}: no file of a network"
    (tmp_path / "vgg16_bn-1.pth").touch()
    (tmp_path / "squeezenet1_0-x.safetensors").touch()
    assert dict(doctor.data()[0])["CS_VIS_WEIGHTS"] == f"{tmp_path}: squeezenet1_0, vgg16_bn"


def test_too_many_threads_get_a_hint(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1000)
    rows, hints = doctor.computing()
    assert dict(rows)["threads"] == "1000"
    assert "torch uses 1000 threads" in hints[0] and "OMP_NUM_THREADS=" in hints[0]
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    assert doctor.computing()[1] == []


def test_cuda_is_named(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "A Fine GPU")
    assert dict(doctor.computing()[0])["device"] == "cuda (A Fine GPU)"


def test_the_report_is_quick_and_changes_nothing():
    threads, seed, before = torch.get_num_threads(), torch.get_rng_state(), dict(os.environ)
    doctor.report()
    assert torch.get_num_threads() == threads and dict(os.environ) == before
    assert torch.equal(torch.get_rng_state(), seed)
