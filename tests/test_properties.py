"""Whatever a function is given, it answers sensibly, or says in a sentence which argument is wrong.

One argument of a right call is exchanged for something else: of another type, dtype, rank, range,
emptiness or device. Then the function returns something finite of the right kind, or raises a
TypeError, ValueError or FileNotFoundError of ours that names the argument; and what it was given
is as it was. Networks are the exception: they compute what they are given, NaN too.
"""

import copy
import linecache
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import cs_vis
from cs_vis import images, models, plots, specimens
from cs_vis.images import video
from cs_vis.methods import field, occlusion, saliency, scores
from cs_vis.models import SpecimenNet

PACKAGE = str(Path(cs_vis.__file__).parent)
FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


def seeded():
    return torch.Generator().manual_seed(0)


# -- right calls -----------------------------------------------------------------------------------

with torch.random.fork_rng(devices=[]):
    torch.manual_seed(0)
    NETWORK = SpecimenNet(((4,), (5,)), classes=4).eval().requires_grad_(False)
PAIR = torch.rand(2, 3, 10, 12, generator=seeded())
ONE, MAP, MASK = PAIR[:1], PAIR[0, 0], PAIR[0, 1] > 0.5
LABELS = torch.tensor([1, 3])
POINTS = torch.rand(2, 2, generator=seeded())
LARGER = torch.rand(3, 3, 18, 17, generator=seeded())  # frames of a video


def step(X, y, model):
    return X.abs().amax(dim=1)


def window_step(image, y, model, patch, stride):
    rows, cols = ((side - patch + stride - 1) // stride + 1 for side in image.shape[2:])
    return image.new_full((rows, cols), 0.25)


class Call(NamedTuple):
    """A function, arguments that are right, and what is right in an answer."""

    function: Callable
    arguments: dict
    right: Callable  # (result, arguments) -> bool
    exempt: tuple = ()  # arguments whose NaN the function may pass on


def finite(result, given=None):
    """Every number in it."""
    if isinstance(result, torch.Tensor):
        return not result.is_floating_point() or bool(result.isfinite().all())
    if isinstance(result, np.ndarray):
        return bool(np.isfinite(result).all())
    if isinstance(result, dict):
        return all(map(finite, result.values()))
    return all(map(finite, result)) if isinstance(result, (tuple, list)) else True


def like(name, *places):
    """The answer is of this argument's dtype, device and shape (its sides at `places`)."""
    def right(result, given):
        own = given[name]
        return (finite(result) and result.dtype == own.dtype and result.device == own.device
                and tuple(result.shape) == tuple(own.shape[place] for place in places))
    return right


def one_picture(result, given):
    pixels = result.pixels
    return (pixels.ndim == 3 and pixels.shape[2] == 3 and pixels.size > 0 and finite(pixels)
            and pixels.min() >= 0 and pixels.max() <= 1)


def a_figure(result, given):
    return isinstance(result, plots.Figure) and np.isfinite(result.get_size_inches()).all()


def for_each_map(dtype=None):
    def right(result, given):
        maps = next(iter(given.values()))
        return finite(result) and tuple(result.shape) == (len(maps),) and (
            result.dtype == (dtype or maps.dtype))
    return right


def a_network(result, given):
    scores = result(torch.zeros(1, 3, 16, 16, device=given["device"], dtype=given["dtype"]))
    return not result.training and scores.shape == (1, 24) and scores.dtype == given["dtype"]


CALLS = {
    "backprop of a class": Call(saliency.backprop, dict(
        model=NETWORK, images=PAIR, target=LABELS, layer=None, relu=saliency.DeconvReLU),
        like("images", 0, 1, 2, 3)),
    "backprop of a neuron": Call(saliency.backprop, dict(
        model=NETWORK, images=PAIR, target=(1, 2, 3), layer="conv2_1", relu=None),
        like("images", 0, 1, 2, 3)),
    "smooth_saliency": Call(saliency.smooth_saliency, dict(
        X=PAIR, y=LABELS, model=NETWORK, compute_saliency_maps=step, samples=2, sigma=0.1,
        generator=seeded()), like("X", 0, 2, 3), exempt=("y",)),
    "smooth": Call(saliency.smooth, dict(maps=PAIR[:, 0], sigma=0.5), like("maps", 0, 1, 2)),
    "occlusion_loss": Call(occlusion.occlusion_loss, dict(
        images=PAIR, y=LABELS, model=NETWORK, occlusion_map=window_step, patch=4, stride=3),
        like("images", 0, 2, 3)),
    "spread": Call(occlusion.spread, dict(
        values=torch.rand(3, 4, generator=seeded()), size=(10, 12), patch=4, stride=3),
        lambda result, given: finite(result) and result.shape == tuple(given["size"])),
    "field_of_view": Call(field.field_of_view, dict(
        model=NETWORK, image=ONE, neuron=(1, 2, 3), layer="conv2_1", generator=seeded()),
        lambda result, given: result.top < result.bottom and result.left < result.right),
    "pointing_game": Call(scores.pointing_game, dict(
        maps=PAIR[:, 0], masks=PAIR[:, 1] > 0.5), for_each_map(torch.bool)),
    "energy_inside": Call(scores.energy_inside, dict(
        maps=PAIR[:, 0], masks=PAIR[:, 1] > 0.5), for_each_map()),
    "iou": Call(scores.iou, dict(
        predicted=PAIR[:, 0] > 0.3, masks=PAIR[:, 1] > 0.5), for_each_map(torch.float32)),
    "centre_map": Call(scores.centre_map, dict(height=5, width=7), lambda result, given: finite(
        result) and result.shape == (given["height"], given["width"])),
    "activations": Call(models.activations, dict(
        model=NETWORK, images=PAIR, layers=["conv1_1", "fc"]), finite, exempt=("images",)),
    "layer_names": Call(models.layer_names, dict(model=NETWORK), finite),
    "find_layer": Call(models.find_layer, dict(model=NETWORK, layer="fc"), finite),
    "load_model": Call(models.load_model, dict(
        name="specimens", device="cpu", dtype=torch.float32), a_network),
    "untrained": Call(models.untrained, dict(
        name="specimens", generator=seeded(), device="cpu", dtype=torch.float32), a_network),
    "a network": Call(NETWORK.forward, dict(images=PAIR), finite, exempt=("images",)),
    "images.load": Call(images.load, dict(source=np.zeros((9, 9, 3), np.uint8), size=8), finite),
    "images.photo": Call(images.photo, dict(name="flower", size=8), finite),
    "images.fit": Call(images.fit, dict(image=ONE, size=9), finite),
    "images.to_numpy": Call(images.to_numpy, dict(image=ONE), lambda result, given: finite(result)
                            and result.dtype == np.float32 and result.shape[2] == 3),
    "images.to_pil": Call(images.to_pil, dict(image=ONE),
                          lambda result, given: result.mode == "RGB" and min(result.size) > 0),
    "images.examples": Call(images.examples, dict(model=NETWORK, count=2, device="cpu"),
                            lambda result, given: finite(result[0])
                            and len(result[0]) == len(result[1]) <= given["count"]),
    "images.save": Call(images.save, dict(image=ONE, path=None), finite),  # the test names a path
    "plots.picture": Call(plots.picture, dict(image=ONE), one_picture),
    "plots.grey": Call(plots.grey, dict(map=MAP, white=0.5), one_picture),
    "plots.signed": Call(plots.signed, dict(gradient=ONE, scale=0.5), one_picture),
    "plots.heat": Call(plots.heat, dict(image=ONE, map=MAP, top=0.5), one_picture),
    "plots.coloured": Call(plots.coloured, dict(map=MAP, colors="magma", top=0.5), one_picture),
    "plots.outlined": Call(plots.outlined, dict(
        image=ONE, mask=MASK, color=(0.0, 1.0, 0.5)), one_picture),
    "plots.cut_out": Call(plots.cut_out, dict(image=ONE, mask=MASK), one_picture),
    "plots.occlusion_picture": Call(plots.occlusion_picture, dict(
        left=MAP, whole=0.75, image=ONE), one_picture),
    "plots.patch_on": Call(plots.patch_on, dict(image=ONE, patch=4), one_picture),
    "plots.occlusion": Call(plots.occlusion, dict(
        images=[ONE], left=[MAP], whole=[0.5], titles=["a"], patch=4), a_figure),
    "plots.show": Call(plots.show, dict(
        pictures=[ONE, ONE], titles=["a", "b"], labels=["c"], caption="d", height=1.0, margin=0.0),
        a_figure),
    "plots.bars": Call(plots.bars, dict(
        scores={"a": {"x": 0.5}}, baselines=["a"], caption="d"), a_figure),
    "plots.curves": Call(plots.curves, dict(
        panels={"x": {"a": ([1.0, 2.0], [0.5, 0.25])}}, up="u", caption="d", most=1.0, log=True),
        a_figure),
    "plots.tiles": Call(plots.tiles, dict(
        images=PAIR, columns=2, zoom=2, gap=1, note="a", marked=1), one_picture),
    "plots.scatter": Call(plots.scatter, dict(
        panels={"panels": POINTS}, colors=[0, 1], names=["a", "b"], height=1.0, dot=2.0), a_figure),
    "plots.picture_map": Call(plots.picture_map, dict(
        points=POINTS, pictures=PAIR, colors=[0, 1], names=["a", "b"], marked=(1,),
        legend={"x": (0.5, 0.0, 1.0)}, width=300), lambda result, given: "<style>" in result.page),
    "plots.video": Call(plots.video, dict(source=LARGER, fps=5, width=40, alt="a"),
                        lambda result, given: len(result.data) > 500),
    "video.write": Call(video.write, dict(path=None, frames=LARGER, fps=5, quality=40), finite),
    "specimens.draw": Call(specimens.draw, dict(
        seed=1, kind="bee", without=("wings",), pose={"angle": 0.5}), finite),
    "specimens.batch": Call(specimens.batch, dict(n=1, seed=1, workers=1), finite),
    "specimens.collection": Call(specimens.collection, dict(n=1, seed=1, progress=False), finite),
    "specimens.part_names": Call(specimens.part_names, dict(kind="bee"), finite),
}

# -- something else --------------------------------------------------------------------------------

SHAPES = [(), (0,), (2,), (3,), (10, 12), (0, 12), (1, 10, 12), (2, 10, 12), (3, 10, 12),
          (10, 12, 3), (2, 0, 12), (1, 3, 10, 12), (2, 3, 10, 12), (2, 3, 1, 1), (0, 3, 10, 12),
          (2, 3, 0, 12), (2, 1, 10, 12), (2, 4, 10, 12), (2, 10, 12, 3), (1, 2, 3, 10, 12)]
DTYPES = [*FLOATS, torch.uint8, torch.int32, torch.int64, torch.bool, torch.complex64]
FILLS = [0.0, 0.5, 1.0, -0.5, 2.0, 255.0, 1e30, float("nan"), float("inf"), -float("inf")]


@st.composite
def tensors(draw):
    """A tensor of any kind, or an array; in one place or in all of it a value of FILLS."""
    shape, dtype, fill = (draw(st.sampled_from(kinds)) for kinds in (SHAPES, DTYPES, FILLS))
    if not dtype.is_floating_point:
        fill = int(np.nan_to_num(fill, posinf=1, neginf=0)) % 100
    values = torch.full(shape, fill).to(dtype)
    kind = draw(st.sampled_from(["plain", "one place", "meta", "grad", "strided", "array"]))
    if kind == "one place" and values.numel():
        values = torch.ones(shape, dtype=dtype)
        values.view(-1)[0] = fill
    if kind == "meta":
        return values.to("meta")
    if kind == "grad" and dtype.is_floating_point:
        return values.requires_grad_()
    if kind == "strided" and values.ndim:
        return values.repeat_interleave(2, dim=-1)[..., ::2]
    if kind == "array" and dtype != torch.bfloat16:
        return values.numpy()
    return values


NUMBERS = [0, 1, -1, 3, 7, 10**6, 10**30, 0.0, 0.5, -0.5, 2.5, 1e-300, 1e300, float("nan"),
           float("inf"), True, np.int64(3), np.float32(0.25), np.float64("nan"), np.bool_(True), 1j]
ODD = [None, "", "bee", "fc", "cpu", "gpu", b"bee", [], (), {}, set(), [None], ["bee"], [[]], [3.5],
       (1, 2), (1, 2, 3), (0.5, 0.5, 0.5), (2, 2, 2), [1, 2, 3, 4], {"a": 1}, {"a": {"x": 2.0}},
       {"angle": float("nan")}, {3: 4}, object(), len, torch.relu, int, torch.float64, torch.int64,
       "float32", NETWORK, saliency.DeconvReLU, Path("bee"), np.array(["bee"]), np.array(None)]
ANYTHING = tensors() | st.sampled_from(NUMBERS) | st.sampled_from(ODD)
# A million specimens, or a map of a terabyte, are no mistake that a sentence would mend.
TOO_MUCH = {("n", 10**6), ("n", 10**30), ("seed", 10**30), ("samples", 10**6), ("samples", 10**30),
            ("height", 10**6), ("height", 10**30), ("width", 10**6), ("width", 10**30),
            ("workers", 3), ("workers", 7), ("workers", 10**6), ("workers", 10**30),
            ("workers", -1)}
WRITTEN = {"images.save": "a.png", "video.write": "a.mp4"}  # the file they write
STEPS = ("compute_saliency_maps", "occlusion_map")
# What a message calls an argument, where it does not call it by its name.
ALSO = {"images": ("image",), "size": ("image",), "pictures": ("image",),
        "source": ("frames", "image", "path"), "frames": ("image",),
        "layer": ("target", "relu"),
        "left": ("map",), "kind": ("without",)}  # a part that the kind drawn has not, and the like


def kept(value):
    """A copy to compare with later."""
    if isinstance(value, torch.Tensor):
        return value.detach().clone()
    return copy.deepcopy(value) if isinstance(value, (np.ndarray, list, dict)) else value


def same(value, before):
    if isinstance(value, torch.Tensor):
        return value.is_meta or value.grad is None and torch.equal(
            *(torch.nan_to_num(one.detach(), nan=-7.0) for one in (value, before)))
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "OU" or np.array_equal(value, before, equal_nan=True)
    if isinstance(value, (list, tuple)):
        return len(value) == len(before) and all(map(same, value, before))
    return value is before or repr(value) == repr(before)


def from_us(error):
    """Raised by a line of this package, not by torch or Python while a line of it ran."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return last.filename.startswith(PACKAGE) and linecache.getline(
        last.filename, last.lineno).strip().startswith("raise ")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", CALLS)
@settings(max_examples=60, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_an_answer_or_a_sentence(name, data, tmp_path):
    call = CALLS[name]
    which = data.draw(st.sampled_from(list(call.arguments)), label="argument")
    value = data.draw(ANYTHING, label="value")
    if isinstance(value, int) and (which, value) in TOO_MUCH:
        return
    if callable(value) and which in STEPS:  # another function: what it does is its own affair
        return
    arguments = {**call.arguments, which: value}
    if name in WRITTEN and which != "path":
        arguments["path"] = tmp_path / WRITTEN[name]
    before, numbers = {key: kept(one) for key, one in arguments.items()}, torch.get_rng_state()
    try:
        result = call.function(**arguments)
    except (TypeError, ValueError, FileNotFoundError) as error:
        assert from_us(error), f"not our sentence: {error!r}"
        assert any(word in str(error) for word in ALSO.get(which, ()) + (which,)), str(error)
    else:
        if which not in call.exempt and not (isinstance(value, torch.Tensor) and value.is_meta):
            assert call.right(result, arguments)
    assert all(same(arguments[key], before[key]) for key in before), "an argument was changed"
    assert torch.equal(numbers, torch.get_rng_state())


@pytest.mark.parametrize("name", CALLS)
def test_the_right_call_is_right(name, tmp_path):
    call = CALLS[name]
    path = {"path": tmp_path / WRITTEN[name]} if name in WRITTEN else {}
    arguments = {**call.arguments, **path}
    assert call.right(call.function(**arguments), arguments)


def test_no_public_function_is_left_out():
    tried = {call.function for call in CALLS.values()}
    public = [getattr(module, name) for module in (images, plots, specimens)
              for name in getattr(module, "__all__", ["load", "photo", "fit", "to_numpy", "to_pil",
                                                      "save", "examples"])]
    public += [cs_vis.activations, cs_vis.layer_names, cs_vis.load_model, models.untrained]
    types = {one for one in public if isinstance(one, type)}
    missing = [one for one in public if callable(one)
               and one not in tried | types | {specimens.gallery, plots.live}]  # take nothing
    assert missing == []
