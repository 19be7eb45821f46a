"""load_model: one convention for all networks, and every weights file told from the next."""

import json
from collections import OrderedDict

import numpy as np
import pytest
import torch
import torchvision
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from cs_vis import datasets, require
from cs_vis.device import pick_device
from cs_vis.models import imagenet, layer_names, load_model, untrained, weights
from cs_vis.models.specimen_net import SpecimenNet

CLASSES = ["bee", "ladybug", "fish"]


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """An empty CS_VIS_WEIGHTS, an empty cache, and no network."""
    def unreachable(url, *_, **__):
        raise OSError(f"no route to {url}")
    (tmp_path / "shelf").mkdir()
    monkeypatch.setenv("CS_VIS_WEIGHTS", str(tmp_path / "shelf"))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    monkeypatch.setattr(torch.hub, "download_url_to_file", unreachable)
    return tmp_path / "shelf"


@pytest.fixture
def stored_specimens(tmp_path, monkeypatch):
    """A specimen network of unusual widths, stored as the trained ones are."""
    torch.manual_seed(1)
    network = SpecimenNet(widths=((4,), (5, 6), (7,)), classes=3)
    state = {key: value.half() for key, value in network.state_dict().items()}
    (tmp_path / "weights").mkdir()
    save_file(state, tmp_path / "weights/specimens.safetensors", metadata={
        "class_names": json.dumps(CLASSES), "mean_color": json.dumps([0.4, 0.5, 0.6])})
    monkeypatch.setattr(datasets, "FOLDERS", (tmp_path,))
    return network.half().float()


# -- the specimen networks -------------------------------------------------------------------------

def test_stored_specimens_come_back_with_their_own_widths(stored_specimens, device):
    network = load_model("specimens", device=device)
    images = torch.rand(2, 3, 12, 9, generator=seeded())
    torch.testing.assert_close(network(images.to(device)).cpu(), stored_specimens(images))
    assert network.class_names == CLASSES
    assert not network.training and not any(p.requires_grad for p in network.parameters())
    assert network.layer_names == ["conv1_1", "relu1_1", "pool1", "conv2_1", "relu2_1", "conv2_2",
                                   "relu2_2", "pool2", "conv3_1", "relu3_1", "average", "flatten",
                                   "fc"]
    assert network.mean_color.tolist() == pytest.approx([0.4, 0.5, 0.6])
    assert network.mean_color.device.type == device.type
    assert set(network.state_dict()) == set(stored_specimens.state_dict())


def test_the_specimen_network_is_what_it_says():
    """Against the same pass written out with torch's functions."""
    torch.manual_seed(0)
    network = SpecimenNet(widths=((4,), (5, 6)), classes=3)
    w, images = dict(network.named_parameters()), torch.rand(2, 3, 10, 11)
    x = (images - 0.5) / 0.25
    for name in ("conv1_1", "conv2_1", "conv2_2"):
        x = torch.conv2d(x, w[f"{name}.weight"], w[f"{name}.bias"], padding=1).clamp(min=0)
        x = torch.max_pool2d(x, 2) if name == "conv1_1" else x
    scores = x.mean((2, 3)) @ w["fc.weight"].T + w["fc.bias"]
    torch.testing.assert_close(network(images), scores)


def test_missing_specimen_weights_say_where_they_were_looked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets, "FOLDERS", (tmp_path,))
    with pytest.raises(FileNotFoundError, match="weights/specimens-robust.safetensors"):
        load_model("specimens-robust")


def test_shipped_networks_have_the_architecture_of_untrained_ones():
    try:
        shipped = [load_model(name) for name in ("specimens", "specimens-robust")]
    except FileNotFoundError as error:
        pytest.skip(str(error))
    new = untrained("specimens", generator=seeded())
    for network in shipped:
        assert network.class_names == new.class_names
        assert network.layer_names == new.layer_names
        for key, value in new.state_dict().items():
            assert network.state_dict()[key].shape == value.shape
        assert sum(p.numel() for p in network.parameters()) <= 1_500_000


# -- the convention --------------------------------------------------------------------------------

@pytest.mark.parametrize("name", ["specimens", "squeezenet1_1", "resnet18"])
def test_networks_are_frozen_and_in_eval_mode(name, device):
    for dtype in (torch.float32, torch.float64):
        network = untrained(name, generator=seeded(), device=device, dtype=dtype)
        images = torch.rand(2, 3, 64, 64, device=device, dtype=dtype, requires_grad=True)
        scores = network(images)
        assert scores.shape == (2, len(network.class_names)) and scores.dtype == dtype
        assert network.mean_color.dtype == dtype
        assert not network.training and not any(p.requires_grad for p in network.parameters())
        assert torch.autograd.grad(scores.sum(), images)[0].abs().sum() > 0


def test_normalisation_is_inside():
    """The same scores as torchvision's network behind torchvision's own preprocessing."""
    network = untrained("resnet18", generator=seeded())
    images = torch.rand(2, 3, 64, 64, generator=seeded())
    preset = torchvision.models.ResNet18_Weights.IMAGENET1K_V1.transforms()
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (preset.mean, preset.std))
    torch.testing.assert_close(network(images), network.network((images - mean) / std))
    assert network.mean_color.tolist() == pytest.approx(preset.mean)
    assert len(network.class_names) == 1000 and network.class_names[0] == "tench"


@pytest.mark.parametrize("name", ["specimens", "squeezenet1_1", "googlenet"])
def test_untrained_weights_follow_the_generator_alone(name):
    torch.manual_seed(5)
    state = torch.get_rng_state()
    one, two, three = (untrained(name, generator=seeded(seed)).state_dict() for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(one[key], two[key]) for key in one)
    assert any(not torch.equal(one[key], three[key]) for key in one)


def test_untrained_weights_are_he_normal():
    network = untrained("specimens", generator=seeded())
    for path, weight in network.named_parameters():
        if weight.ndim > 1:
            assert weight.std().item() == pytest.approx((2 / weight[0].numel()) ** 0.5, rel=0.1)
        else:
            assert not weight.any()


@pytest.mark.parametrize("images, error, sentence", [
    ([[0.5]], TypeError, "images=<list> must be a tensor"),
    (torch.zeros(1, 3, 64, 64, dtype=torch.uint8), TypeError, "dtype torch.uint8"),
    (torch.zeros(3, 64, 64), ValueError, r"images\[None\]"),
    (torch.zeros(1, 3, 15, 64), ValueError, "no side may be below (16|32) pixels"),
])
def test_networks_refuse_what_is_no_batch(images, error, sentence):
    for name in ("specimens", "squeezenet1_1"):
        with pytest.raises(error, match=sentence):
            untrained(name, generator=seeded())(images)


@pytest.mark.parametrize("name", ["vgg61", "specimen", "", 3, None, ["vgg16"]])
def test_an_unknown_network_is_answered_with_the_nearest(name):
    for make in (load_model, lambda name: untrained(name, generator=seeded())):
        with pytest.raises(ValueError, match="name=.* is no network of this course; the nearest"):
            make(name)
    with pytest.raises(ValueError, match="'vgg16'.*cs_vis.models.NAMES lists all"):
        load_model("vgg61")


@pytest.mark.parametrize("name, smaller, smallest", [
    ("specimens", (1, 16), (16, 16)), ("alexnet", (62, 70), (63, 63)),
    ("vgg11", (31, 32), (32, 32)), ("inception_v3", (74, 80), (75, 75))])
def test_the_smallest_pictures(name, smaller, smallest):
    network = untrained(name, generator=seeded())
    with pytest.raises(ValueError, match="no side may be below .* pixels here; enlarge with"):
        network(torch.zeros(1, 3, *smaller))
    assert network(torch.zeros(1, 3, *smallest)).shape == (1, len(network.class_names))


FAMILIES = ["alexnet", "convnext_tiny", "densenet121", "efficientnet_b0", "efficientnet_v2_s",
            "googlenet", "inception_v3", "maxvit_t", "mnasnet0_5", "mobilenet_v2",
            "mobilenet_v3_small", "regnet_x_400mf", "regnet_y_400mf", "resnet18",
            "resnext50_32x4d", "shufflenet_v2_x0_5", "squeezenet1_0", "squeezenet1_1", "swin_t",
            "swin_v2_t", "vgg11", "vgg11_bn", "vit_b_16", "vit_b_32", "wide_resnet50_2"]


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_says_which_sizes_it_takes(name):
    network = untrained(name, generator=seeded())
    low, side = network.smallest, network.side
    for size in [(8, 8), (low, low), (low, low + 1), (low + 5, low), (96, 64), (224, 224),
                 (224, 256), (97, 131)]:
        fits = min(size) >= low if side is None else size == (side, side)
        if fits:
            assert network(torch.zeros(1, 3, *size)).isfinite().all()
        else:
            with pytest.raises(ValueError, match="images has shape"):
                network(torch.zeros(1, 3, *size))


def test_a_network_of_one_size_says_so():
    """The tokens of ViT and MaxViT are counted beforehand; the largest ViT's at 518 pixels."""
    assert [imagenet.only_side(name) for name in (
        "vit_b_16", "vit_h_14", "maxvit_t", "swin_t", "resnet18")] == [224, 518, 224, None, None]
    network = untrained("vit_b_32", generator=seeded())
    for size in ((64, 64), (224, 256), (256, 256)):
        with pytest.raises(ValueError, match="takes pictures of 224 × 224 pixels alone; images.fit"):
            network(torch.zeros(1, 3, *size))
    assert network(torch.zeros(1, 3, 224, 224)).shape == (1, 1000)


@pytest.mark.parametrize("images, network, sentence", [
    (torch.float64, torch.float32, r"dtype torch.float64, .* in torch.float32: .*images.to\(torch.f"),
    (torch.float16, torch.float32, r"dtype torch.float16.*or model.to\(torch.float16\)"),
    (torch.float32, torch.float64, "dtype torch.float32")])
@pytest.mark.parametrize("name", ["specimens", "squeezenet1_1"])
def test_pictures_of_another_dtype_are_refused(name, images, network, sentence):
    model = untrained(name, generator=seeded(), dtype=network)
    with pytest.raises(TypeError, match=f"images has {sentence}"):
        model(torch.zeros(1, 3, 64, 64, dtype=images))


def test_pictures_on_another_device_are_refused():
    model = untrained("specimens", generator=seeded(), device="meta")
    with pytest.raises(ValueError, match="images is on the device 'cpu', the network on 'meta': mo"):
        model(torch.zeros(1, 3, 64, 64))


@pytest.mark.parametrize("options, error, sentence", [
    ({"device": "gpu"}, ValueError, r"device='gpu' is no device of this machine; .*pick_device\(\)"),
    ({"device": "cuda:99"}, ValueError, "device='cuda:99' is no device of this machine"),
    ({"device": None}, ValueError, "device='None' is no device"),
    ({"device": 2.5}, ValueError, "device='2.5' is no device"),
    ({"dtype": "float32"}, TypeError, "dtype='float32' must be one of torch.float16, .*without"),
    ({"dtype": torch.int64}, TypeError, "dtype=<dtype> must be one of torch.float16"),
    ({"generator": 0}, TypeError, r"generator=<int> must be a torch.Generator; .*manual_seed\(0\)"),
    ({"generator": None}, TypeError, "generator=<NoneType>")])
def test_a_bad_device_dtype_or_generator_is_refused(options, error, sentence):
    with pytest.raises(error, match=sentence):
        untrained("specimens", **{"generator": seeded()} | options)
    if "generator" not in options:
        with pytest.raises(error, match=sentence):
            load_model("specimens", **options)


# -- names of layers -------------------------------------------------------------------------------

def plain_names(name):
    with torch.device("meta"):  # names need no weights
        network = torchvision.models.get_model(name)
    paths = imagenet._plain_names(network)
    return paths, {layer: network.get_submodule(path) for layer, path in paths.items()}


def test_vgg_layers_have_the_names_of_the_paper():
    paths, modules = plain_names("vgg16")
    assert [name for name in paths if name.startswith("conv")] == [
        f"conv{block}_{place}" for block, depth in enumerate((2, 2, 3, 3, 3), 1)
        for place in range(1, depth + 1)]
    assert list(paths)[-6:] == ["avgpool", "fc6", "relu6", "fc7", "relu7", "fc8"]
    assert paths["relu2_2"] == "features.8" and paths["pool5"] == "features.30"
    assert modules["conv5_3"].out_channels == 512 and modules["fc8"].out_features == 1000
    assert plain_names("vgg11_bn")[0]["bn3_2"] == "features.12"


def test_alexnet_layers_have_the_names_of_the_paper():
    paths, modules = plain_names("alexnet")
    assert list(paths) == [
        "conv1", "relu1", "pool1", "conv2", "relu2", "pool2", "conv3", "relu3", "conv4", "relu4",
        "conv5", "relu5", "pool5", "avgpool", "fc6", "relu6", "fc7", "relu7", "fc8"]
    assert modules["conv4"].out_channels == 256 and modules["fc6"].in_features == 9216


@pytest.mark.parametrize("name, some", [
    ("squeezenet1_0", ["features.0", "features.3.squeeze_activation", "features.3", "features.12"]),
    ("googlenet", ["conv1", "inception3a.branch1", "inception3a", "inception4c", "inception5b"]),
    ("resnet18", ["relu", "layer1.0.relu", "layer1.0", "layer2.0.downsample", "layer4", "fc"]),
    ("densenet121", ["features.conv0", "features.denseblock1.denselayer2.relu1",
                     "features.denseblock1", "features.transition1.conv", "classifier"])])
def test_other_layers_have_torchvisions_names_in_the_order_of_the_pass(name, some):
    names = layer_names(untrained(name, generator=seeded()))
    places = [names.index(layer) for layer in some]
    assert places == sorted(places)


# -- weights files ---------------------------------------------------------------------------------

@given(st.sampled_from(imagenet.NAMES), st.sampled_from(["", "-1a2b3c", "_mine", "-imagenet-rgb"]),
       st.sampled_from([".pth", ".safetensors"]))
def test_a_file_belongs_to_the_network_whose_name_it_begins_with(name, middle, ending):
    assert weights.owner(name + middle + ending, imagenet.NAMES) == name


@pytest.mark.parametrize("file, name", [
    ("vgg16_bn-6c64b313.pth", "vgg16_bn"), ("vgg16-397923af.pth", "vgg16"),
    ("resnet18x.pth", None), ("my_resnet18.pth", None), ("swin_transformer.pth", None),
    ("wide_resnet50_2-95faca4d.pth", "wide_resnet50_2"), ("resnet50.pth", "resnet50"),
    ("README.md", None), ("squeezenet1_0", "squeezenet1_0")])
def test_file_names_that_look_alike_are_told_apart(file, name):
    assert weights.owner(file, imagenet.NAMES) == name


def test_a_folder_of_all_published_files_serves_every_network(shelf):
    own = {name: weights.published(name).url.rsplit("/", 1)[-1] for name in imagenet.NAMES}
    for file in own.values():
        (shelf / file).touch()
    for name, file in own.items():
        assert weights.in_folder(name, imagenet.NAMES) == shelf / file


def test_weights_in_the_folder_are_found_and_win_over_the_cache(shelf):
    source = untrained("squeezenet1_1", generator=seeded())
    state = source.network.state_dict()
    images = torch.rand(1, 3, 64, 64, generator=seeded())
    cache = shelf.parent / "hub/checkpoints"
    cache.mkdir(parents=True)
    torch.save(state, cache / weights.published("squeezenet1_1").url.rsplit("/", 1)[-1])
    torch.testing.assert_close(load_model("squeezenet1_1")(images), source(images))  # the cache
    torch.save({key: 2 * value for key, value in state.items()}, shelf / "squeezenet1_1-x2.pth")
    assert not torch.allclose(load_model("squeezenet1_1")(images), source(images))
    half = {key: value.half() for key, value in state.items()}
    save_file(half, shelf / "squeezenet1_1-zz.safetensors")  # safetensors come before pth
    torch.testing.assert_close(load_model("squeezenet1_1")(images), source(images),
                               rtol=2e-2, atol=2e-2)
    assert load_model("squeezenet1_1")(images).dtype == torch.float32


def test_loading_leaves_the_random_state_alone(shelf):
    torch.save(untrained("squeezenet1_1", generator=seeded()).network.state_dict(),
               shelf / "squeezenet1_1.pth")
    state = torch.get_rng_state()
    load_model("squeezenet1_1")
    assert torch.equal(torch.get_rng_state(), state)


def test_googlenet_loads_with_and_without_its_training_heads(shelf):
    source = untrained("googlenet", generator=seeded())
    images = torch.rand(1, 3, 64, 64, generator=seeded())
    state = source.network.state_dict()
    for extra in ({}, {"aux1.conv.conv.weight": torch.rand(2), "aux2.fc1.bias": torch.rand(2)}):
        torch.save(state | extra, shelf / "googlenet-1319be32.pth")
        torch.testing.assert_close(load_model("googlenet")(images), source(images))


def test_googlenet_sees_to_its_input_range():
    network = untrained("googlenet", generator=seeded()).network
    assert network.transform_input and not network.aux_logits


def test_densenet_loads_under_the_names_of_2017(shelf):
    source = untrained("densenet121", generator=seeded())
    images = torch.rand(1, 3, 64, 64, generator=seeded())
    old = OrderedDict()
    for key, value in source.network.state_dict().items():
        head, dot, tail = key.partition(".norm") if ".norm" in key else key.partition(".conv")
        inside = "denselayer" in head
        key = f"{head}{dot}.{tail}" if inside else key  # norm1.weight -> norm.1.weight
        if not key.endswith("num_batches_tracked"):  # younger than the published file
            old[key] = value
    assert "features.denseblock1.denselayer1.norm.1.weight" in old
    torch.save(old, shelf / "densenet121-a639ec97.pth")
    torch.testing.assert_close(load_model("densenet121")(images), source(images))


def test_without_file_and_network_the_error_says_what_to_do(shelf):
    (shelf / "vgg16_bn-6c64b313.pth").write_bytes(b"not ours")
    with pytest.raises(FileNotFoundError) as caught:
        load_model("vgg16")
    for part in ("name='vgg16': no weights here", "no route to", "Fetch https://", "vgg16-397923af",
                 str(shelf), "CS_VIS_WEIGHTS", str(shelf.parent / "hub/checkpoints"),
                 "load_model('specimens') and untrained('vgg16', generator=...) work"):
        assert part in str(caught.value)
    # One sentence, not one under three tracebacks; the command prints it alone.
    assert caught.value.__cause__ is None and caught.value.__suppress_context__


@pytest.mark.parametrize("content, sentence", [
    (b"", "cannot be read as weights"),
    (b"<html>404</html>", "cannot be read as weights"),
    ({"state_dict": {}}, "no plain dictionary of tensors; save it again"),
    ({"features.0.weight": torch.full((2,), torch.nan)}, "not finite, in 'features.0.weight'"),
    ({"features.0.weight": torch.zeros(2)}, "are not those of torchvision's squeezenet1_1"),
])
def test_a_bad_weights_file_is_refused(shelf, content, sentence):
    file = shelf / "squeezenet1_1.pth"
    file.write_bytes(content) if isinstance(content, bytes) else torch.save(content, file)
    with pytest.raises(ValueError, match=f"squeezenet1_1.pth.*{sentence}"):
        load_model("squeezenet1_1")


def test_a_weights_file_cannot_run_code(shelf):
    class Harm:
        def __reduce__(self):
            return (open, (str(shelf / "harm"), "w"))
    torch.save(Harm(), shelf / "squeezenet1_1.pth")
    with pytest.raises(ValueError, match="cannot be read as weights"):
        load_model("squeezenet1_1")
    assert not (shelf / "harm").exists()


def test_a_folder_that_is_none_is_refused(shelf, monkeypatch):
    monkeypatch.setenv("CS_VIS_WEIGHTS", str(shelf / "nowhere"))
    with pytest.raises(FileNotFoundError, match="CS_VIS_WEIGHTS='.*nowhere' is not a folder; set"):
        load_model("squeezenet1_1")


# -- classes and neurons ---------------------------------------------------------------------------

def test_classes_for_every_image(device):
    assert require.require_target(3, 2, 5).tolist() == [3, 3]
    assert require.require_target(np.int64(3), 1, 5).tolist() == [3]
    for dtype in (torch.int32, torch.int64):
        found = require.require_target(torch.tensor([0, 4], dtype=dtype, device=device), 2, 5)
        assert found.tolist() == [0, 4] and found.dtype == torch.long
        assert found.device.type == device.type
    assert require.require_target(torch.tensor(4), 3, 5).tolist() == [4, 4, 4]


@pytest.mark.parametrize("target, error, sentence", [
    (5, ValueError, "y=5 is no class of this network, which has 5: choose from 0 to 4"),
    (-1, ValueError, "y=-1 is no class"),
    (torch.tensor([0, 7]), ValueError, "y=7 is no class"),
    (torch.tensor([0]), ValueError, r"y has shape \(1,\), but the number of images is 2"),
    (torch.tensor([[0, 1]]), ValueError, r"y has shape \(1, 2\)"),
    (torch.tensor([0.0, 1.0]), TypeError, "y is a torch.float32 tensor, but must be a class index"),
    (True, TypeError, "y is True, but must be a class index"),
    ("bee", TypeError, "y is 'bee'"), (None, TypeError, "y is None"), ([0, 1], TypeError, "y is"),
])
def test_a_class_out_of_range_is_refused(target, error, sentence):
    with pytest.raises(error, match=f"^{sentence}"):
        require.require_target(target, 2, 5, "y")


def test_channels_and_neurons():
    for unit, expected in ((6, (6,)), ((6,), (6,)), ([6, 0, 4], (6, 0, 4)), (np.int64(0), (0,))):
        assert require.require_unit(unit, (2, 7, 3, 5)) == expected
    assert require.require_unit(6, (2, 7)) == (6,)


@pytest.mark.parametrize("unit, shape, error, sentence", [
    (7, (2, 7, 3, 5), ValueError, "target=7 is outside .* 7 x 3 x 5: choose 7 anew, from 0 to 6"),
    ((0, 0, 5), (2, 7, 3, 5), ValueError, r"target=\(0, 0, 5\) is outside .* from 0 to 4"),
    ((0, -1, 0), (2, 7, 3, 5), ValueError, "choose -1 anew, from 0 to 2"),
    ((0, 1), (2, 7, 3, 5), ValueError, r"a channel \(c,\) or a neuron \(c, row, col\): this"),
    ((), (2, 7, 3, 5), ValueError, "must be a channel"),
    ((0, 0, 0), (2, 7), ValueError, r"must be a channel \(c,\): this layer's output .* is 7$"),
    (1.5, (2, 7), TypeError, r"target=1.5 must be a channel \(c,\), in whole numbers"),
    ("relu", (2, 7, 3, 5), TypeError, "target='relu' must be"),
    ((0, 1.0, 2), (2, 7, 3, 5), TypeError, "in whole numbers"),
    (None, (2, 7, 3, 5), TypeError, "target=None"),
])
def test_a_neuron_that_is_not_there_is_refused(unit, shape, error, sentence):
    with pytest.raises(error, match=sentence):
        require.require_unit(unit, shape)


# -- the rest --------------------------------------------------------------------------------------

def test_pick_device(monkeypatch):
    for there, kind in ((True, "cuda"), (False, "cpu")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
        assert pick_device() == torch.device(kind)


def test_scores_do_not_depend_on_the_other_pictures_of_the_batch():
    for name in ("specimens", "resnet18", "densenet121"):
        network = untrained(name, generator=seeded(), dtype=torch.float64)
        images = torch.rand(3, 3, 64, 64, generator=seeded(), dtype=torch.float64)
        alone = torch.cat([network(image[None]) for image in images])
        torch.testing.assert_close(network(images), alone)
