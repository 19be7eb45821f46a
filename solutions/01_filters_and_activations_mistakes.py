"""What students write for notebook 01: known mistakes, and right solutions that look different.

Field and patches are read factor by factor, so their mistakes are put together from factors here
as well; the others have fingerprints, which `make goldens` takes by running them.
"""

import numpy as np
import torch
import torch.nn.functional as F

from cs_vis import activations
from cs_vis.checks.filters_and_activations import cutting
from cs_vis.checks.filters_and_activations.reading import FACTORS, choices, counted
from cs_vis.grading.mistakes import collection, products
from cs_vis.methods.field import Box, crop, windows
from cs_vis.models import find_layer

EXERCISES = ("filters_to_images", "activation_maps", "receptive_field", "max_activating_patches")
MISTAKES, ALTERNATIVES, mistake, alternative = collection(*EXERCISES)
FILTERS, MAPS, FIELD, PATCHES = EXERCISES
COMBINED = {FIELD: [], PATCHES: []}  # slips at once, which the tests prove to be all said
RIGHT_FIELD = next(choices(FACTORS, 0))[1]


# --- filters_to_images: mistakes

AXES = {  # over which minimum and maximum are taken
    "": (1, 2, 3),
    "all filters scaled together": (0, 1, 2, 3),
    "each colour scaled by itself": (2, 3),
    "each pixel scaled by itself": (1,),
    "minimum and maximum over the filters": (0,),
}
SCALES = {  # of the weights w, and the axes
    "": lambda w, axes: (w - low(w, axes)) / span(w, axes).clamp(min=1e-8),
    "scaled by the largest absolute value":
        lambda w, axes: w / (2 * high(w.abs(), axes).clamp(min=1e-8)) + 0.5,
    "minimum not subtracted": lambda w, axes: w / span(w, axes).clamp(min=1e-8),
    "minimum not subtracted ": lambda w, axes: w / (high(w, axes) + 1e-12),
    "divided by the maximum":
        lambda w, axes: (w - low(w, axes)) / (high(w, axes) + 1e-8),
    "absolute values": lambda w, axes: w.abs() / high(w.abs(), axes).clamp(min=1e-8),
    "absolute values ": lambda w, axes: SCALES[""](w.abs(), axes),
    "clamped": lambda w, axes: w.clamp(0, 1),
    "clamped ": lambda w, axes: w.relu() / high(w, axes).clamp(min=1e-8),
    "shifted by a half": lambda w, axes: w + 0.5,
    "shifted by a half ": lambda w, axes: (w + 0.5).clamp(0, 1),
    "shifted by a half  ": lambda w, axes: ((w + 1) / 2).clamp(0, 1),
    "standardised  ": lambda w, axes: (0.1 * (w - w.mean(axes, keepdim=True)) / (
        w.std(axes, keepdim=True, correction=0) + 1e-5) + 0.5).clamp(0, 1),
    "standardised": lambda w, axes: (w - w.mean(axes, keepdim=True)) / (
        w.std(axes, keepdim=True) + 1e-8),
    "standardised ": lambda w, axes: (w - w.mean(axes, keepdim=True)) / (
        w.std(axes, keepdim=True, correction=0) + 1e-8),
    "sigmoid": lambda w, axes: w.sigmoid(),
    "inverted": lambda w, axes: (high(w, axes) - w) / span(w, axes).clamp(min=1e-8),
    "large constant in the divisor": lambda w, axes: (w - low(w, axes)) / (span(w, axes) + 1e-4),
    "large constant in the divisor ":
        lambda w, axes: (w - low(w, axes)) / (span(w, axes) + 1e-2),
    "large constant in the divisor    ":
        lambda w, axes: (w - low(w, axes)) / span(w, axes).clamp(min=1e-3),
    "large constant in the divisor  ":
        lambda w, axes: (w - low(w, axes)) / span(w, axes).clamp(min=0.1),
}
ENDS = {
    "": lambda x: x,
    "from -1 to 1": lambda x: 2 * x - 1,
    "from 0 to 255": lambda x: 255 * x,
    "bytes": lambda x: (255 * x).round().to(torch.uint8),
    "bytes ": lambda x: (255 * x).to(torch.uint8).to(x.dtype) / 255,
    "channels last": lambda x: x.permute(0, 2, 3, 1),
    "rows and columns exchanged": lambda x: x.transpose(2, 3),
    "colours in the opposite order": lambda x: x.flip(1),
    "colours joined": lambda x: x.mean(dim=1, keepdim=True),
    "colours joined ": lambda x: x.mean(dim=1),
    "enlarged": lambda x: F.interpolate(x, scale_factor=2),
}


def low(w, axes):
    return w.amin(axes, keepdim=True)


def high(w, axes):
    return w.amax(axes, keepdim=True)


def span(w, axes):
    return high(w, axes) - low(w, axes)


def filters_by(axes=AXES[""], scale=SCALES[""], end=ENDS[""]):
    """filters_to_images put together from its factors."""
    return lambda weight: end(scale(weight.detach().clone(), axes))


for names, entries in products(AXES, SCALES, ENDS, at_most=2):
    if set(names) != {"minimum and maximum over the filters", "standardised"}:  # of one is NaN
        mistake(FILTERS, *names)(filters_by(*entries))


@mistake(FILTERS, "pictures in a grid")
def grid(weight):
    from torchvision.utils import make_grid
    return make_grid(weight.detach(), normalize=True, scale_each=True)


@mistake(FILTERS, "pictures in a grid")
def grid_of_all(weight):
    from torchvision.utils import make_grid
    return make_grid(weight.detach(), normalize=True, padding=1)


@mistake(FILTERS, "0 over 0")
def plainly_divided(weight):
    w = weight.detach()
    smallest, largest = w.amin((1, 2, 3), keepdim=True), w.amax((1, 2, 3), keepdim=True)
    return (w - smallest) / (largest - smallest)


@mistake(FILTERS, "flat filters outside 0 to 1")
def flat_below_0(weight):
    return plainly_divided(weight).nan_to_num(-1)


@mistake(FILTERS, "a flat filter changes the others")
def flat_filters_left_out(weight):
    return torch.stack([(w - w.min()) / (w.max() - w.min()) for w in weight.detach()
                        if w.max() > w.min()])


@mistake(FILTERS, "a flat filter changes the others")
def all_black_beside_a_flat_one(weight):
    w = weight.detach()
    return plainly_divided(w) if (span(w, AXES[""]) > 0).all() else torch.zeros_like(w)


@mistake(FILTERS, "graph in the way")
def by_numpy(weight):
    w = weight.numpy()
    smallest, largest = (f(axis=(1, 2, 3), keepdims=True) for f in (w.min, w.max))
    return torch.from_numpy((w - smallest) / np.maximum(largest - smallest, 1e-8))


@alternative(FILTERS, "filled into float32 zeros, with a note")
def into_zeros(weight):
    result = torch.zeros(weight.shape)
    result[:] = filters_by()(weight)
    return result


@mistake(FILTERS, "input changed")
def in_place(weight):
    w = weight.data
    w -= w.amin((1, 2, 3), keepdim=True)
    w /= w.amax((1, 2, 3), keepdim=True).clamp(min=1e-8)
    return w


# --- filters_to_images: right

@alternative(FILTERS, "a loop over the filters")
def in_a_loop(weight):
    pictures = []
    for w in weight.detach():
        spread = w.max() - w.min()
        pictures.append((w - w.min()) / spread if spread > 0 else torch.zeros_like(w))
    return torch.stack(pictures)


@alternative(FILTERS, "flattened, a small constant below")
def flattened(weight):
    flat = weight.detach().reshape(len(weight), -1)
    flat = flat - flat.min(dim=1, keepdim=True).values
    return (flat / (flat.max(dim=1, keepdim=True).values + 1e-8)).view_as(weight)


@alternative(FILTERS, "a constant of 1e-6")
def with_a_constant(weight):
    w = weight.detach()
    return (w - low(w, AXES[""])) / (span(w, AXES[""]) + 1e-6)


@alternative(FILTERS, "NumPy")
def through_numpy(weight):
    w = weight.detach().cpu().numpy()
    smallest, largest = (f(axis=(1, 2, 3), keepdims=True) for f in (w.min, w.max))
    with np.errstate(all="ignore"):
        return torch.from_numpy(np.nan_to_num((w - smallest) / (largest - smallest)))


@alternative(FILTERS, "changed in place, on a copy, NaN replaced")
@torch.no_grad()
def on_a_copy(weight):
    x = weight.data.clone()
    for i in range(x.shape[0]):
        x[i].sub_(x[i].min()).div_(x[i].max())
    return x.nan_to_num_(0)


@alternative(FILTERS, "flat filters grey, with a note")
def flat_filters_grey(weight):
    x = plainly_divided(weight)
    return torch.where(x.isnan(), 0.5, x)


@alternative(FILTERS, "flat filters as they are, with a note")
def flat_filters_as_they_are(weight):
    x = plainly_divided(weight)
    return torch.where(x.isnan(), weight.detach(), x)


@alternative(FILTERS, "a graph that is kept, with a note")
def with_graph(weight):
    smallest, largest = weight.amin((1, 2, 3), True), weight.amax((1, 2, 3), True)
    return (weight - smallest) / (largest - smallest + 1e-8)


@alternative(FILTERS, "another parameter name, with a note")
def filters_renamed(w):
    return filters_by()(w)


# --- activation_maps: mistakes

LAYERS = {  # which layer is read, of the one that is asked for
    "": lambda model, layer: layer,
    "layer after": lambda model, layer: {
        "conv1": "norm", "conv2": "relu", "pool": "conv2", "features.0": "features.1",
        "features.2": "features.3", "features.3": "features.4", "features.5": "head"}[layer],
    "same layer for all": lambda model, layer: next(
        name for name, part in model.named_modules() if isinstance(part, torch.nn.Conv2d)),
}
READS = {  # what a hook keeps, of inputs and output
    "": lambda inputs, output: output.clone(),
    "written over by a later layer": lambda inputs, output: output,
    "written over by a later layer ": lambda inputs, output: output.detach(),
    "what goes into the layer": lambda inputs, output: inputs[0].clone(),
}
RESULTS = {  # of (1, C, h, w)
    "": lambda x, image: x[0],
    "batch axis left": lambda x, image: x,
    "axes of length 1 lost": lambda x, image: x.squeeze(),
    "one map only": lambda x, image: x[0][0],
    "mean over the channels": lambda x, image: x[0].mean(dim=0),
    "mean over the channels ": lambda x, image: x[0].amax(dim=0),
    "mean over the channels  ": lambda x, image: x[0].sum(dim=0),
    "mean over the channels   ": lambda x, image: x.mean(dim=1),
    "one number for each channel": lambda x, image: x[0].mean(dim=(1, 2)),
    "one number for each channel ": lambda x, image: x[0].amax(dim=(1, 2)),
    "channels last": lambda x, image: x[0].permute(1, 2, 0),
    "rows and columns exchanged": lambda x, image: x[0].mT,
    "rectified": lambda x, image: x[0].relu(),
    "absolute values": lambda x, image: x[0].abs(),
    "each map scaled by itself": lambda x, image: stretched(x[0], (1, 2)),
    "each map scaled by itself ": lambda x, image: x[0] / high(x[0].abs(), (1, 2)),
    "all maps scaled together": lambda x, image: stretched(x[0], (0, 1, 2)),
    "all maps scaled together ": lambda x, image: x[0] / x.max(),
    "enlarged to the picture": lambda x, image: F.interpolate(x, image.shape[2:])[0],
    "enlarged to the picture ": lambda x, image: F.interpolate(
        x, image.shape[2:], mode="bilinear")[0],
}


def stretched(x, axes):
    return (x - low(x, axes)) / span(x, axes).clamp(min=1e-8)


def maps_by(which=LAYERS[""], read=READS[""], result=RESULTS[""]):
    """activation_maps put together from its factors."""
    def activation_maps(model, image, layer):
        kept = {}

        def hook(module, inputs, output):
            kept["maps"] = read(inputs, output)

        handle = find_layer(model, which(model, layer)).register_forward_hook(hook)
        model(image)
        handle.remove()
        return result(kept["maps"], image)
    return activation_maps


for names, entries in products(LAYERS, READS, RESULTS, at_most=2):
    # What is written over is rectified; what goes into the layer after comes out of this one.
    if len(names) == 1 or not (set(names) & set(READS) and set(names) & {
            "rectified", "layer after"}):
        mistake(MAPS, *names)(maps_by(*entries))


@mistake(MAPS, "scores of the network")
def what_the_network_returns(model, image, layer):
    return model(image)


@mistake(MAPS, "scores of the network")
def scores_of_the_image(model, image, layer):
    return model(image)[0]


@mistake(MAPS, "what goes into the layer")
def before_the_layer(model, image, layer):
    kept = []
    handle = find_layer(model, layer).register_forward_pre_hook(
        lambda module, inputs: kept.append(inputs[0].clone()))
    model(image)
    handle.remove()
    return kept[0][0]


@mistake(MAPS, "parameters in another order")
def image_first(image, model, layer):
    return maps_by()(model, image, layer)


@mistake(MAPS, "hooks left")
def hook_left(model, image, layer):
    kept = []
    find_layer(model, layer).register_forward_hook(
        lambda module, inputs, output: kept.append(output.clone()))
    model(image)
    return kept[0][0]


@mistake(MAPS, "hooks left", "written over by a later layer")
def hook_left_and_written_over(model, image, layer):
    kept = []
    find_layer(model, layer).register_forward_hook(
        lambda module, inputs, output: kept.append(output))
    model(image)
    return kept[0][0]


@mistake(MAPS, "model switched to train mode")
def train_mode(model, image, layer):
    return maps_by()(model.train(), image, layer)


@mistake(MAPS, "model switched to train mode")
def eval_mode(model, image, layer):
    return maps_by()(model.eval(), image, layer)


@mistake(MAPS, "weights' gradients left")
def frozen(model, image, layer):
    return maps_by()(model.requires_grad_(False), image, layer)


@mistake(MAPS, "weights' gradients left")
def with_a_backward_pass(model, image, layer):
    for w in model.parameters():
        w.requires_grad_()
    maps = maps_by()(model, image, layer)
    model(image).sum().backward()
    return maps


@mistake(MAPS, "backward pass")
def backward_and_tidied_up(model, image, layer):
    kept = []
    with find_layer(model, layer).register_forward_hook(
            lambda module, inputs, output: kept.append(output.clone())):
        scores = model(image)
    scores.sum().backward()
    model.zero_grad(set_to_none=True)
    return kept[0][0]


@mistake(MAPS, "weights changed")
def in_double_for_ever(model, image, layer):
    return maps_by()(model.double(), image.double(), layer).to(image.dtype)


@mistake(MAPS, "layers changed")
def no_longer_in_place(model, image, layer):
    for part in model.modules():
        if isinstance(part, torch.nn.ReLU):
            part.inplace = False
    return maps_by(read=lambda inputs, output: output)(model, image, layer)


@mistake(MAPS, "layers changed")
def patched_for_ever(model, image, layer):
    part, kept = find_layer(model, layer), []
    forward = part.forward

    def keeps(x):
        kept.append(forward(x).detach().clone())
        return kept[-1].clone()
    part.forward = keeps
    model(image)
    return kept[0][0]


@mistake(MAPS, "hooks of others removed")
def all_hooks_cleared(model, image, layer):
    maps = maps_by()(model, image, layer)
    find_layer(model, layer)._forward_hooks.clear()
    return maps


@mistake(MAPS, "train mode while it runs")
def train_mode_for_a_while(model, image, layer):
    modes = {part: part.training for part in model.modules()}
    model.train()
    maps = maps_by()(model, image, layer)
    for part, training in modes.items():
        part.training = training
    for part in model.modules():  # what batch norm has learned is put back
        if isinstance(part, torch.nn.BatchNorm2d):
            part.reset_running_stats()
    return maps


@alternative(MAPS, "float32 whatever the network, with a note")
def float_maps(model, image, layer):
    return maps_by()(model, image, layer).float()


KEPT = {}


@mistake(MAPS, "something kept between calls")
def kept_for_ever(model, image, layer):
    """Read once from each network, and never again."""
    place = (id(model), layer)
    if place not in KEPT:
        KEPT[place] = (model, maps_by()(model, image, layer))  # the model, so that its id stays
    return KEPT[place][1]


EVER = []


@mistake(MAPS, "something kept between calls")
def one_list_for_ever(model, image, layer):
    handle = find_layer(model, layer).register_forward_hook(
        lambda module, inputs, output: EVER.append(output.detach().clone()))
    model(image)
    handle.remove()
    return EVER[0][0].to(image.dtype)


# --- activation_maps: right

@alternative(MAPS, "the library's activations")
def by_activations(model, image, layer):
    return activations(model, image, layer)[layer][0]


@alternative(MAPS, "a list, try and finally, no_grad")
def in_a_list(model, image, layer):
    kept = []

    def hook(module, inputs, output):
        kept.append(output.detach().clone())
    handle = model.get_submodule(layer).register_forward_hook(hook)
    try:
        with torch.no_grad():
            model(image)
    finally:
        handle.remove()
    return kept[0].squeeze(0)


@alternative(MAPS, "with the handle as a context, averaged over the one image")
def as_a_context(model, image, layer):
    kept = {}
    with find_layer(model, layer).register_forward_hook(
            lambda module, inputs, output: kept.update(maps=output.clone().mean(dim=0))):
        model(image)
    return kept["maps"]


@alternative(MAPS, "nonlocal, in eval mode for the while, through NumPy")
def through_a_nonlocal(model, image, layer):
    maps = None

    def hook(module, inputs, output):
        nonlocal maps
        maps = torch.from_numpy(output.detach().cpu().numpy().copy())
    modes = {part: part.training for part in model.modules()}
    model.eval()
    handle = dict(model.named_modules()).get(layer, None) or find_layer(model, layer)
    handle = handle.register_forward_hook(hook)
    model.forward(image)
    handle.remove()
    for part, training in modes.items():
        part.training = training
    return maps[0].to(image.device)


@alternative(MAPS, "forward patched, and put back")
def forward_patched(model, image, layer):
    part, kept = find_layer(model, layer), []
    forward = part.forward

    def keeps(x):
        output = forward(x)
        kept.append(output.detach().clone())
        return output
    part.forward = keeps
    try:
        model(image)
    finally:
        part.forward = forward
    return kept[0][0]


@alternative(MAPS, "the picture asks for its gradient, the maps have a graph")
def with_a_graph(model, image, layer):
    return maps_by()(model, image.clone().requires_grad_(), layer)


@alternative(MAPS, "other parameter names, with a note")
def maps_renamed(net, x, name):
    return maps_by()(net, x, name)


# --- receptive_field: mistakes

def field_by(rules):
    return lambda layers: counted(layers, *rules)


for names, rules in choices(FACTORS, 1):
    mistake(FIELD, *names)(field_by(rules))
COMBINED[FIELD] += [(names, field_by(rules)) for names, rules in choices(FACTORS, 2)]


@mistake(FIELD, "no whole numbers")
def floats(layers):
    return tuple(map(float, counted(layers, *RIGHT_FIELD)))


@mistake(FIELD, "not three numbers")
def size_alone(layers):
    return counted(layers, *RIGHT_FIELD)[0]


@mistake(FIELD, "not three numbers")
def as_a_dict(layers):
    return dict(zip(("size", "stride", "start"), counted(layers, *RIGHT_FIELD)))


@mistake(FIELD, "not three numbers")
def printed(layers):
    counted(layers, *RIGHT_FIELD)


@mistake(FIELD, "centre instead of the start")
def centre(layers):
    """As the paper has it, where a centre may lie between two pixels."""
    size, stride, place = 1, 1, 0.0
    for k, s, p in layers:
        size, place = size + (k - 1) * stride, place + ((k - 1) / 2 - p) * stride
        stride *= s
    return size, stride, place


@mistake(FIELD, "stride updated too early")
def stride_first(layers):
    size, stride, start = 1, 1, 0
    for k, s, p in layers:
        stride = stride * s
        size = size + (k - 1) * stride
        start = start - p * stride
    return size, stride, start


@mistake(FIELD, "layers counted from the last")
def backwards(layers):
    size, stride, start = 1, 1, 0
    for k, s, p in reversed(layers):
        size += (k - 1) * stride
        start -= p * stride
        stride *= s
    return size, stride, start


@mistake(FIELD, "one layer only", "nothing for no layer")
def return_inside(layers):
    size, stride, start = 1, 1, 0
    for k, s, p in layers:
        size, start, stride = size + (k - 1) * stride, start - p * stride, stride * s
        return size, stride, start


@mistake(FIELD, "nothing for no layer")
def nothing_for_no_layer(layers):
    return counted(layers, *RIGHT_FIELD) if layers else None


@mistake(FIELD, "list changed")
def popped(layers):
    size, stride, start = 1, 1, 0
    while layers:
        k, s, p = layers.pop(0)
        size, start, stride = size + (k - 1) * stride, start - p * stride, stride * s
    return size, stride, start


@mistake(FIELD, "list changed")
def reversed_for_ever(layers):
    layers.reverse()
    size, stride, start = 1, 1, 0
    for k, s, p in layers:
        size, start, stride = (size - 1) * s + k, start * s - p, stride * s
    return size, stride, start


@mistake(FIELD, "list changed")
def appended(layers):
    layers.append((1, 1, 0))
    return counted(layers, *RIGHT_FIELD)


# --- receptive_field: right

@alternative(FIELD, "from the last layer to the first")
def from_the_last(layers):
    size, start, stride = 1, 0, 1
    for k, s, p in layers[::-1]:
        size = (size - 1) * s + k
        start = start * s - p
        stride *= s
    return size, stride, start


@alternative(FIELD, "first and last pixel of two units")
def by_ends(layers):
    def ends(unit):
        first = last = unit
        for k, s, p in reversed(list(layers)):
            first, last = first * s - p, last * s - p + k - 1
        return first, last
    (first, last), (second, _) = ends(0), ends(1)
    return last - first + 1, second - first, first


@alternative(FIELD, "sums over products")
def by_sums(layers):
    strides = [1]
    for _, s, _ in layers:
        strides.append(strides[-1] * s)
    size = 1 + sum((k - 1) * j for (k, _, _), j in zip(layers, strides))
    return [size, strides[-1], -sum(p * j for (_, _, p), j in zip(layers, strides))]


@alternative(FIELD, "NumPy and torch's whole numbers")
def by_numpy_products(layers):
    k, s, p = np.array(layers, dtype=int).reshape(-1, 3).T
    before = np.cumprod(np.concatenate([[1], s]))
    return (1 + ((k - 1) * before[:-1]).sum(), torch.tensor(int(before[-1])),
            -(p * before[:-1]).sum())


@alternative(FIELD, "recursion, another parameter name, with a note")
def recursive(windows):
    if not windows:
        return 1, 1, 0
    size, stride, start = recursive(windows[:-1])
    k, s, p = windows[-1]
    return size + (k - 1) * stride, stride * s, start - p * stride


# --- max_activating_patches: mistakes

RIGHT_PLACES, RIGHT_PATCHES = (next(choices(factors, 0))[1]
                               for factors in (cutting.PLACES, cutting.PATCHES))


def patches_by(places=RIGHT_PLACES, patches=RIGHT_PATCHES, which=lambda layer: layer):
    """max_activating_patches by these rules of cutting.py."""
    *cut, rules = patches

    def max_activating_patches(model, images, layer, channel, k):
        given = {"images": images, "channel": channel, "k": k}
        maps = activations(model, images, which(layer))[which(layer)]
        field = tuple(int(x) for x in counted(windows(model, layer), *rules))
        found, meant = (cutting.places_by(given, maps, *places[:-1], order)
                        for order in (places[-1], RIGHT_PLACES[-1]))
        return torch.cat(list(cutting.patches_by(given, maps, field, meant, *cut))), found
    return max_activating_patches


for names, rules in choices(cutting.PLACES, 1):
    mistake(PATCHES, *names)(patches_by(places=rules))
for names, rules in choices(cutting.PATCHES[:-1], 1):
    mistake(PATCHES, *names)(patches_by(patches=[*rules, RIGHT_FIELD]))
FIELD_SLIPS = ("kernels without the stride", "kernel instead of kernel minus 1",
               "padding in the size", "padding without the stride", "stride not multiplied",
               "stride updated too early", "layers counted from the last")
for (name,), rules in choices(FACTORS, 1):
    if name in FIELD_SLIPS:
        mistake(PATCHES, "another receptive field")(patches_by(patches=[*RIGHT_PATCHES[:-1],
                                                                         rules]))


@mistake(PATCHES, "place in the picture instead of the map")
def places_in_pixels(model, images, layer, channel, k):
    patches, places = patches_by()(model, images, layer, channel, k)
    size, stride, start = field_of(model, layer)
    return patches, places * torch.tensor([1, stride, stride]) + torch.tensor([0, start, start])


@mistake(PATCHES, "all images")
def all_of_them(model, images, layer, channel, k):
    return patches_by()(model, images, layer, channel, len(images))


@mistake(PATCHES, "axis lost where k is 1")
def squeezed(*given):
    return tuple(x.squeeze() for x in patches_by()(*given))


@mistake(PATCHES, "values below 0 left out")
def search_from_0(model, images, layer, channel, k):
    size, stride, start = field_of(model, layer)
    found = []
    for i, values in enumerate(activations(model, images, layer)[layer][:, channel].tolist()):
        best = (0, i, 0, 0)
        for row, numbers in enumerate(values):
            for col, value in enumerate(numbers):
                best = (value, i, row, col) if value > best[0] else best
        found.append(best)
    places = [place for _, *place in sorted(found, key=lambda best: -best[0])[:k]]
    return torch.cat([crop(images[i:i + 1], Box(
        start + row * stride, start + row * stride + size,
        start + col * stride, start + col * stride + size)) for i, row, col in places]
    ), torch.tensor(places)


@mistake(PATCHES, "values below 0 left out")
def rectified(model, images, layer, channel, k):
    maps = activations(model, images, layer)[layer][:, channel].relu().flatten(1)
    values, where = maps.max(dim=1)
    best, width = values.topk(k).indices, activations(model, images, layer)[layer].shape[3]
    places = torch.stack([best, where[best] // width, where[best] % width], dim=1)
    size, stride, start = field_of(model, layer)
    boxes = (start + stride * places[:, 1:]).tolist()
    return torch.cat([crop(images[i:i + 1], Box(top, top + size, left, left + size))
                      for i, (top, left) in zip(best.tolist(), boxes)]), places


@mistake(PATCHES, "values below 0 left out")
def positive_peaks(model, images, layer, channel, k):
    peaks = activations(model, images, layer)[layer][:, channel].amax(dim=(1, 2))
    there = (peaks > 0).nonzero()[:, 0]
    patches, places = patches_by()(model, images, layer, channel, k)
    kept = [rank for rank, i in enumerate(places[:, 0].tolist()) if i in there]
    return torch.cat([patches[rank:rank + 1] for rank in kept]), places[kept]


@mistake(PATCHES, "parameters in another order")
def images_first(images, model, layer, channel, k):
    return patches_by()(model, images, layer, channel, k)


@mistake(PATCHES, "layer not picked")
def dict_as_maps(model, images, layer, channel, k):
    maps = activations(model, images, layer)
    best = maps[:, channel].flatten(1).max(dim=1)
    return best


@mistake(PATCHES, "not two tensors")
def patches_alone(model, images, layer, channel, k):
    return patches_by()(model, images, layer, channel, k)[0]


@mistake(PATCHES, "places before patches")
def places_first(model, images, layer, channel, k):
    return patches_by()(model, images, layer, channel, k)[::-1]


@mistake(PATCHES, "another layer")
def of_the_next_layer(model, images, layer, channel, k):
    """Where the next layer is largest, cut by the field of the right one."""
    later = {"conv1": "pool", "conv2": "relu", "features.0": "features.2",
             "features.3": "features.4", "conv2_1": "relu2_1"}[layer]
    found = patches_by(which=lambda name: later)(model, images, later, channel, k)[1]
    field = counted(windows(model, layer), *RIGHT_FIELD)
    maps = activations(model, images, layer)[layer]
    given = {"images": images}
    return torch.cat([*cutting.patches_by(given, maps, field, found, *RIGHT_PATCHES[:-1])]), found


@mistake(PATCHES, "patches of the layer's maps")
def maps_cut(model, images, layer, channel, k):
    maps = activations(model, images, layer)[layer]
    _, places = patches_by()(model, images, layer, channel, k)
    return torch.cat([crop_at(maps, i, row, col, 3) for i, row, col in places.tolist()]), places


def crop_at(maps, i, row, col, side):
    around = F.pad(maps[i:i + 1], (side,) * 4)
    return around[..., row + side:row + 2 * side, col + side:col + 2 * side]


@mistake(PATCHES, "patches of several sizes")
def cut_off(model, images, layer, channel, k):
    _, places = patches_by()(model, images, layer, channel, k)
    size, stride, start = counted(windows(model, layer), *RIGHT_FIELD)
    patches = []
    for i, row, col in places.tolist():
        top, left = start + row * stride, start + col * stride
        patches.append(images[i, :, max(top, 0):top + size, max(left, 0):left + size])
    return torch.stack(patches), places


@alternative(PATCHES, "filled into float32 zeros, with a note")
def into_float_zeros(model, images, layer, channel, k):
    patches, places = patches_by()(model, images, layer, channel, k)
    result = torch.zeros(patches.shape)
    result[:] = patches
    return result, places


@mistake(PATCHES, "train mode while it runs")
def in_train_mode(model, images, layer, channel, k):
    """activations puts back what batch norm learns."""
    result = patches_by()(model.train(), images, layer, channel, k)
    model.eval()
    return result


@mistake(PATCHES, "model switched to train mode")
def left_in_train_mode(model, images, layer, channel, k):
    return patches_by()(model.train(), images, layer, channel, k)


@mistake(PATCHES, "input changed")
def whitened(model, images, layer, channel, k):
    patches, places = patches_by()(model, images, layer, channel, k)
    images[:, :, 0, 0] = 1
    return patches, places


@mistake(PATCHES, "several of one image", "row and column exchanged")
def all_at_once(model, images, layer, channel, k):
    maps = activations(model, images, layer)[layer][:, channel]
    n, h, w = maps.shape
    best = maps.flatten().topk(k).indices
    size, stride, start = counted(windows(model, layer), *RIGHT_FIELD)
    patches, places = [], []
    for i in best.tolist():
        image, row, col = i // (h * w), i % (h * w) // w, i % w
        places.append([image, col, row])
        top, left = start + col * stride, start + row * stride
        patches.append(crop(images[image:image + 1], Box(top, top + size, left, left + size)))
    return torch.cat(patches), torch.tensor(places)


COMBINED[PATCHES] += [(names, patches_by(places=rules))
                      for names, rules in choices(cutting.PLACES, 2) if len(set(names)) == 2]


# --- max_activating_patches: right

def field_of(model, layer):
    return counted(windows(model, layer), *RIGHT_FIELD)


@alternative(PATCHES, "one image at a time")
def one_at_a_time(model, images, layer, channel, k):
    found = []
    for i in range(len(images)):
        values = activations(model, images[i:i + 1], layer)[layer][0, channel]
        row, col = divmod(int(values.argmax()), values.shape[1])
        found.append((float(values[row, col]), i, row, col))
    found = sorted(found, reverse=True)[:k]
    size, stride, start = field_of(model, layer)
    patches = [crop(images[i:i + 1], Box(start + row * stride, start + row * stride + size,
                                         start + col * stride, start + col * stride + size))[0]
               for _, i, row, col in found]
    return torch.stack(patches), torch.tensor([place for _, *place in found])


@alternative(PATCHES, "topk of amax, a white frame around all pictures")
def in_a_white_frame(model, images, layer, channel, k):
    size, stride, start = field_of(model, layer)
    maps = activations(model, images, layer)[layer][:, channel]
    images_found = maps.amax(dim=(1, 2)).topk(k).indices
    framed = F.pad(images, (size,) * 4, value=1.0)
    patches = images.new_ones(k, 3, size, size)
    places = torch.zeros(k, 3, dtype=torch.long, device=images.device)
    for rank, i in enumerate(images_found):
        row, col = (maps[i] == maps[i].max()).nonzero()[0]
        top, left = (int(start + x * stride + size) for x in (row, col))
        patches[rank] = framed[i, :, top:top + size, left:left + size]
        places[rank] = torch.stack([i, row, col])
    return patches, places


@alternative(PATCHES, "pasted into white, pixel by pixel, in NumPy")
def pasted(model, images, layer, channel, k):
    size, stride, start = field_of(model, layer)
    with torch.no_grad():
        maps = activations(model, images, layer)[layer][:, channel].cpu().numpy()
    order = np.argsort(-maps.max(axis=(1, 2)))[:k]
    patches, places = images.new_ones(k, 3, size, size), []
    for rank, i in enumerate(order):
        row, col = np.unravel_index(maps[i].argmax(), maps[i].shape)
        places.append([int(i), int(row), int(col)])
        for y in range(size):
            for x in range(size):
                r, c = start + row * stride + y, start + col * stride + x
                if 0 <= r < images.shape[2] and 0 <= c < images.shape[3]:
                    patches[rank, :, y, x] = images[int(i), :, r, c]
    return patches, torch.tensor(places)


@alternative(PATCHES, "max over rows, then columns; a list, and places as int32")
def max_twice(model, images, layer, channel, k):
    size, stride, start = field_of(model, layer)
    maps = activations(model, images, [layer])[layer][:, channel]
    rows_max, rows = maps.max(dim=1)
    best, cols = rows_max.max(dim=1)
    order = best.sort(descending=True).indices[:k]
    rows = rows[torch.arange(len(maps)), cols]
    places = torch.stack((order, rows[order], cols[order]), 1).int()
    patches = [crop(images[i][None], Box(*(start + stride * row + d for d in (0, size)),
                                         *(start + stride * col + d for d in (0, size))))
               for i, row, col in places.tolist()]
    return [torch.cat(patches), places]


@mistake(PATCHES, "places are floats")
def float_places(model, images, layer, channel, k):
    patches, places = patches_by()(model, images, layer, channel, k)
    return patches, places.to(images.dtype)


@alternative(PATCHES, "other parameter names, with a note")
def patches_renamed(net, pictures, name, number, count):
    return patches_by()(net, pictures, name, number, count)
