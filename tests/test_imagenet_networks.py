"""The real SqueezeNet on real photographs, where CS_VIS_WEIGHTS and CS_VIS_PHOTOS name them."""

import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from cs_vis import images
from cs_vis.models import load_model, weights
from cs_vis.models.imagenet import NAMES

if not os.environ.get("CS_VIS_WEIGHTS"):
    pytest.skip("CS_VIS_WEIGHTS is unset: name a folder with squeezenet1_0*.safetensors",
                allow_module_level=True)
if weights.in_folder("squeezenet1_0", NAMES) is None:
    pytest.skip("CS_VIS_WEIGHTS has no squeezenet1_0*.safetensors or .pth", allow_module_level=True)
if not os.environ.get("CS_VIS_PHOTOS"):
    pytest.skip("CS_VIS_PHOTOS is unset: name a folder with photographs NNNN_label.jpg, "
                "NNNN the ImageNet class", allow_module_level=True)


@pytest.fixture(scope="module")
def network():
    return load_model("squeezenet1_0")


@pytest.fixture(scope="module")
def photographs():
    """Centre crops of 224 pixels (N, 3, 224, 224), the classes (N,), and the labels."""
    paths = sorted(Path(os.environ["CS_VIS_PHOTOS"]).glob("[0-9]*_*.jpg"))
    pictures = torch.cat([images.load(path)[:, :, 16:240, 16:240] for path in paths])
    classes = torch.tensor([int(path.stem[:4]) for path in paths])
    return pictures, classes, [path.stem[5:] for path in paths]


@pytest.fixture(scope="module")
def ranked(network, photographs):
    with torch.no_grad():
        scores = torch.cat([network(batch) for batch in photographs[0].split(20)])
    return scores.argsort(1, descending=True)  # (N, 1000)


def test_top_1_and_top_5_are_those_measured_before(ranked, photographs):
    """126 and 168 of 200 were measured with code that shares nothing with ours."""
    pictures, classes, _ = photographs
    assert len(pictures) == 200
    right = ranked == classes[:, None]
    assert right[:, 0].sum().item() == pytest.approx(126, abs=1)
    assert right[:, :5].sum().item() == pytest.approx(168, abs=1)


def test_the_classes_have_their_names(network, photographs):
    _, classes, labels = photographs
    assert [network.class_names[index].replace(" ", "_") for index in classes] == labels


def test_half_precision_weights_rank_the_same(network, photographs, tmp_path, monkeypatch):
    half = {key: value.half() for key, value in network.network.state_dict().items()}
    save_file(half, tmp_path / "squeezenet1_0-half.safetensors")
    monkeypatch.setenv("CS_VIS_WEIGHTS", str(tmp_path))
    pictures = photographs[0][:20]
    with torch.no_grad():
        ours, rounded = network(pictures), load_model("squeezenet1_0")(pictures)
    assert (ours.argmax(1) == rounded.argmax(1)).float().mean() >= 0.95
