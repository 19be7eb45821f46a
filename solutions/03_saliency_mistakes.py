"""What students write for notebook 03: known mistakes, and right solutions that look different.

`make goldens` runs the mistakes to take their fingerprints; the tests prove that the check rejects
each under its own name, and accepts every alternative. Slips that are independent of each other
are factors, and what is stored are their products: so two slips are both said.
"""

from functools import partial

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from cs_vis.grading.mistakes import collection, products

EXERCISES = ("compute_saliency_maps", "occlusion_map", "GuidedReLU", "segment_by_saliency")
MISTAKES, ALTERNATIVES, mistake, alternative = collection(*EXERCISES)


# --- compute_saliency_maps: mistakes

def gradient_of(score, X, y, model):
    """The gradient of score(scores, y) with respect to X, (N, 3, H, W)."""
    X = X.detach().requires_grad_()
    return torch.autograd.grad(score(model(X), y), X)[0]


def own(scores, y):
    return scores.gather(1, y.view(-1, 1)).sum()


SCORES = {
    "": own,
    "cross-entropy of the softmax": lambda s, y: F.cross_entropy(s.softmax(1), y),
    "cross-entropy instead of the score": F.cross_entropy,
    "log-probability instead of the score": lambda s, y: own(s.log_softmax(1), y),
    "probability instead of the score": lambda s, y: own(s.softmax(1), y),
    "sum of all scores": lambda s, y: s.sum(),
    "mean of all scores": lambda s, y: s.mean(),
    "scores[:, y]": lambda s, y: s[:, y].sum(),
    "predicted class instead of y": lambda s, y: s.amax(dim=1).sum(),
    "mean over the batch": lambda s, y: own(s, y) / len(y),
    "minus the score": lambda s, y: -own(s, y),
}
OTHER_SIGN = {  # the same under an absolute value, another thing without
    "log-probability instead of the score":
        lambda s, y: F.cross_entropy(s, y, reduction="sum"),
    "cross-entropy instead of the score": lambda s, y: -F.cross_entropy(s, y),
    "cross-entropy of the softmax":
        lambda s, y: F.cross_entropy(s.softmax(1), y, reduction="sum"),
    "mean of all scores": lambda s, y: -s.mean(),
}
LOUD = {"": lambda g, join: join(g.abs()), "no absolute value": lambda g, join: join(g),
        "absolute value after the colours are joined": lambda g, join: join(g).abs()}
JOINS = {"": lambda g, axis: g.amax(dim=axis), "mean over channels": lambda g, axis: g.mean(axis),
         "sum over channels": lambda g, axis: g.sum(dim=axis),
         "length over channels": lambda g, axis: g.norm(dim=axis),
         "minimum over channels": lambda g, axis: g.amin(dim=axis),
         "one colour only": lambda g, axis: g.select(axis, 0)}
AXES = {"": 1, "joined over another axis": 0, "joined over another axis ": 2,
        "joined over another axis  ": 3}


def map_by(score, loud, join, axis=1, scale=lambda maps: maps):
    """compute_saliency_maps put together from its factors."""
    return lambda X, y, model: scale(loud(gradient_of(score, X, y, model),
                                          lambda g: join(g, axis)))


for scores in (SCORES, {"": None, **OTHER_SIGN}):
    for names, entries in products(scores, LOUD, JOINS, AXES):
        # Minus the score is no mistake where the absolute value comes first.
        harmless = "minus the score" in names and entries[1] is LOUD[""]
        if entries[0] is not None and not harmless and (entries[3] == 1 or len(names) < 4):
            mistake("compute_saliency_maps", *names)(map_by(*entries))
for names, (score, loud) in products(SCORES, LOUD):
    if "minus the score" not in names or loud is not LOUD[""]:
        mistake("compute_saliency_maps", *names, "colour axis kept")(
            map_by(score, loud, lambda g, axis: g))
mistake("compute_saliency_maps", "colour axis kept")(map_by(own, LOUD[""], lambda g, axis: g))
mistake("compute_saliency_maps", "colour axis kept")(
    map_by(own, LOUD[""], lambda g, axis: g.amax(dim=1, keepdim=True)))


def stretched(maps, axes):
    low, high = maps.amin(dim=axes, keepdim=True), maps.amax(dim=axes, keepdim=True)
    return (maps - low) / (high - low)


SCALES = {
    "rescaled to its maximum": lambda maps: maps / maps.amax(dim=(1, 2), keepdim=True),
    "rescaled over the batch": lambda maps: maps / maps.max(),
    "rescaled from minimum to maximum": lambda maps: stretched(maps, (1, 2)),
    "rescaled from minimum to maximum ": lambda maps: stretched(maps, (0, 1, 2)),
}
for name, scale in SCALES.items():
    mistake("compute_saliency_maps", name.strip())(map_by(own, LOUD[""], JOINS[""], 1, scale))
    for names, entries in products(SCORES, LOUD, JOINS, at_most=1):
        if names != ("minus the score",):
            mistake("compute_saliency_maps", *names, name.strip())(
                map_by(*entries, 1, scale))


@mistake("compute_saliency_maps", "squared")
def squares(X, y, model):
    return gradient_of(own, X, y, model).square().amax(dim=1)


@mistake("compute_saliency_maps", "the picture's own maximum")
def picture_itself(X, y, model):
    return X.detach().abs().amax(dim=1)


@mistake("compute_saliency_maps", "parameters in another order")
def model_first(model, X, y):
    return map_by(own, LOUD[""], JOINS[""])(X, y, model)


# --- compute_saliency_maps: habits and harm, which no value shows

@mistake("compute_saliency_maps", "hard-coded batch axis")
def five_images(X, y, model):
    X = X.detach().requires_grad_()
    scores = model(X)[torch.arange(5), y]
    scores.backward(torch.ones(5, dtype=X.dtype))
    return X.grad.abs().amax(dim=1)


@mistake("compute_saliency_maps", "squeezed batch axis")
def squeezed(X, y, model):
    return gradient_of(own, X, y, model).abs().amax(dim=1).squeeze()


@mistake("compute_saliency_maps", "depends on the batch")
def shared_floor(X, y, model):
    maps = gradient_of(own, X, y, model).abs().amax(dim=1)
    return torch.where(maps < 0.3 * maps.mean(), 0, maps)  # faint pixels out, over the whole batch


@mistake("compute_saliency_maps", "gradient left from an earlier call")
def accumulated(X, y, model):
    X.requires_grad_()
    own(model(X), y).backward()
    return X.grad.abs().amax(dim=1)


@mistake("compute_saliency_maps", "clone of an X that requires grad")
def no_leaf(X, y, model):
    X = X.clone().requires_grad_()
    own(model(X), y).backward()
    return X.grad.abs().amax(dim=1)


@mistake("compute_saliency_maps", "another dtype than X's")
def float_maps(X, y, model):
    return gradient_of(own, X, y, model).abs().amax(dim=1).float()


@mistake("compute_saliency_maps", "train mode while it runs")
def train_and_back(X, y, model):
    kept = {name: value.clone() for name, value in model.state_dict().items()}
    model.train()
    maps = gradient_of(own, X, y, model).abs().amax(dim=1)
    model.eval().load_state_dict(kept)
    return maps


@mistake("compute_saliency_maps", "input changed")
def normalised_in_place(X, y, model):
    maps = gradient_of(own, X, y, model).abs().amax(dim=1)
    X.detach().sub_(0.5).div_(0.25)  # for a picture beside the map, say
    return maps


@mistake("compute_saliency_maps", "weights' gradients left")
def thawed(X, y, model):
    model.requires_grad_()
    X = X.detach().requires_grad_()
    own(model(X), y).backward()
    return X.grad.abs().amax(dim=1)


@mistake("compute_saliency_maps", "model switched to train mode")
def train_mode(X, y, model):
    maps = gradient_of(own, X, y, model).abs().amax(dim=1)
    model.train()
    return maps


@mistake("compute_saliency_maps", "hooks left")
def hook_left(X, y, model):
    kept = []
    model.register_forward_hook(lambda module, inputs, scores: kept.append(scores))
    X = X.detach().requires_grad_()
    model(X)
    return torch.autograd.grad(own(kept[0], y), X)[0].abs().amax(dim=1)


# --- compute_saliency_maps: right

@alternative("compute_saliency_maps", "one image at a time")
def one_by_one(X, y, model):
    return torch.cat([gradient_of(own, x[None], label[None], model).abs().amax(dim=1)
                      for x, label in zip(X, y)])


@alternative("compute_saliency_maps", "backward(), old gradient cleared")
def backward(X, y, model):
    X.requires_grad_()
    X.grad = None
    model(X)[torch.arange(len(y)), y].sum().backward()
    return X.grad.abs().max(dim=1).values


@alternative("compute_saliency_maps", "one-hot gradient")
def one_hot(X, y, model):
    X = X.clone().detach().requires_grad_()
    scores = model(X)
    scores.backward(gradient=F.one_hot(y, scores.shape[1]).to(scores))
    return X.grad.abs().amax(dim=1)


@alternative("compute_saliency_maps", "einsum with the one-hot labels")
def einsum(X, y, model):
    def score(scores, y):
        return torch.einsum("nk,nk->", scores, F.one_hot(y, scores.shape[1]).to(scores))
    return gradient_of(score, X, y, model).abs().amax(dim=1)


@alternative("compute_saliency_maps", "channels last")
def channels_last(X, y, model):
    X = X.detach().contiguous(memory_format=torch.channels_last)
    return gradient_of(own, X, y, model).abs().amax(dim=1)


@alternative("compute_saliency_maps", "functional gradient")
def functional(X, y, model):
    gradient = torch.func.grad(lambda x: own(model(x), y))(X.detach())
    return gradient.abs().amax(dim=1)


@alternative("compute_saliency_maps", "maximum of both signs, with a warning")
def both_signs(X, y, model):
    import warnings
    warnings.warn("a right answer may warn")
    gradient = gradient_of(own, X, y, model)
    return torch.cat([gradient, -gradient], dim=1).amax(dim=1)


@alternative("compute_saliency_maps", "random numbers drawn and seeded")
def shuffled(X, y, model):
    torch.manual_seed(0)
    order = torch.randperm(len(X))
    maps = torch.empty_like(X[:, 0])
    maps[order] = gradient_of(own, X[order], y[order], model).abs().amax(dim=1)
    return maps


@alternative("compute_saliency_maps", "NumPy at the end, not contiguous")
def numpy_at_the_end(X, y, model):
    gradient = gradient_of(own, X, y, model).cpu().numpy().transpose(0, 3, 2, 1)
    return torch.from_numpy(np.abs(gradient).max(axis=3)).to(X.device).transpose(1, 2)


class Saliency:
    """A callable object with a method of its own."""

    def score(self, scores, y):
        return (scores * F.one_hot(y, scores.shape[1])).sum()

    def __call__(self, X, y, model):
        return gradient_of(self.score, X, y, model).abs().max(1)[0]


ALTERNATIVES["compute_saliency_maps"]["callable object"] = Saliency()


@alternative("compute_saliency_maps", "torch.func and vmap, one image each")
def mapped(X, y, model):
    def one(x, label):
        return model(x[None])[0].gather(0, label[None]).sum()
    return torch.func.vmap(torch.func.grad(one))(X.detach(), y).abs().amax(dim=1)


@alternative("compute_saliency_maps", "result still asks for its gradient")
def with_graph(X, y, model):
    X = X.detach().clone().requires_grad_()
    gradient, = torch.autograd.grad(own(model(X), y), X, create_graph=True)
    return gradient.abs().amax(dim=1)


@alternative("compute_saliency_maps", "Variable, .data, loops, prints and a progress bar")
def old_school(X, y, model):
    from torch.autograd import Variable
    from tqdm import tqdm
    maps = []
    for x, label in tqdm(list(zip(X.data, y.tolist()))):
        picture = Variable(x.unsqueeze(0).clone(), requires_grad=True)
        score = model(picture)[0, label]
        print(f"class {label}: {score.item():.2f}")
        score.backward()
        maps.append(picture.grad.data.abs().max(1)[0])
    return torch.cat(maps)


ALTERNATIVES["compute_saliency_maps"]["a partial of a general function"] = partial(
    lambda reduce, X, y, model: reduce(gradient_of(own, X, y, model).abs()),
    lambda gradient: gradient.amax(dim=1))


# --- occlusion_map: mistakes

def starts(size, patch, stride):
    return sorted({*range(0, size - patch, stride), size - patch})


def no_flush(size, patch, stride):
    return range(0, size - patch + 1, stride)


def always_flush(size, patch, stride):
    return [*range(0, size - patch + 1, stride), size - patch]


def over_the_border(size, patch, stride):
    return range(0, size, stride)


def until_the_last(size, patch, stride):
    return range(0, size - patch, stride)


WINDOWS = {  # the starts of rows, and of columns
    "": (starts, starts), "no flush window": (no_flush, no_flush),
    "last window twice": (always_flush, always_flush),
    "window over the border": (over_the_border, over_the_border),
    "last window missing": (until_the_last, until_the_last),
    "flush window in one direction only": (starts, no_flush),
    "flush window in one direction only ": (no_flush, starts),
}
READS = {  # from the scores with the patch in place, and those of the whole picture
    "": lambda s, y, whole: s.softmax(1)[0, y],
    "score instead of the probability": lambda s, y, whole: s[0, y],
    "log-probability instead of the probability": lambda s, y, whole: s.log_softmax(1)[0, y],
    "softmax of the softmax": lambda s, y, whole: s.softmax(1).softmax(1)[0, y],
    "largest probability instead of y's": lambda s, y, whole: s.softmax(1).max(),
    "drop instead of the probability":
        lambda s, y, whole: whole.softmax(1)[0, y] - s.softmax(1)[0, y],
    "drop instead of the probability ":
        lambda s, y, whole: s.softmax(1)[0, y] - whole.softmax(1)[0, y],
    "share of the whole picture's probability":
        lambda s, y, whole: s.softmax(1)[0, y] / whole.softmax(1)[0, y],
    "one minus the probability": lambda s, y, whole: 1 - s.softmax(1)[0, y],
}
CLASSES = {"": lambda y, whole: y, "predicted class instead of y": lambda y, whole: whole.argmax()}


def given(image, model, fill):
    return (model.mean_color if fill is None else fill).to(image)


FILLS = {
    "": given,
    "black patch": lambda image, model, fill: torch.zeros(3).to(image),
    "grey patch": lambda image, model, fill: torch.full((3,), 0.5).to(image),
    "white patch": lambda image, model, fill: torch.ones(3).to(image),
    "the picture's own mean colour": lambda image, model, fill: image.mean(dim=(0, 2, 3)),
    "one grey for all colours":
        lambda image, model, fill: given(image, model, fill).mean().expand(3),
    "fill's colours in another order":
        lambda image, model, fill: given(image, model, fill).flip(0),
    "fill ignored": lambda image, model, fill: model.mean_color.to(image),
}
PLACES = {  # rows or columns that are covered, from the window's start
    "": lambda start, patch: slice(start, start + patch),
    "off by one in position": lambda start, patch: slice(start + 1, start + 1 + patch),
    "windows centred on their position":
        lambda start, patch: slice(max(start - patch // 2, 0), start - patch // 2 + patch),
    "patch one pixel too large": lambda start, patch: slice(start, start + patch + 1),
    "patch one pixel too small": lambda start, patch: slice(start, start + patch - 1),
}


def cover(image, covered, rows, cols, fill):
    covered = image.clone()
    covered[:, :, rows, cols] = fill.view(3, 1, 1)
    return covered


def pile_up(image, covered, rows, cols, fill):
    covered[:, :, rows, cols] = fill.view(3, 1, 1)
    return covered


def one_colour(image, covered, rows, cols, fill):
    covered = image.clone()
    covered[:, 0, rows, cols] = fill[0]
    return covered


def all_but(image, covered, rows, cols, fill):
    covered = fill.view(1, 3, 1, 1).expand_as(image).clone()
    covered[:, :, rows, cols] = image[:, :, rows, cols]
    return covered


COVERS = {"": cover, "patch not restored": pile_up, "one colour painted only": one_colour,
          "all but the patch covered": all_but}
TURNS = {"": lambda heat: heat, "rows and columns swapped": lambda heat: heat.T}


def heat_by(read=READS[""], which=CLASSES[""], color=FILLS[""], windows=WINDOWS[""],
            place=PLACES[""], covering=cover, turn=TURNS[""], swap=False):
    """occlusion_map put together from its factors."""
    @torch.no_grad()
    def occlusion_map(image, y, model, patch=32, stride=16, fill=None):
        patch, stride = (stride, patch) if swap else (patch, stride)
        whole, fill = model(image), color(image, model, fill)
        y, covered, rows = which(y, whole), image.clone(), []
        for top in windows[0](image.shape[2], patch, stride):
            row = []
            for left in windows[1](image.shape[3], patch, stride):
                covered = covering(image, covered, place(top, patch), place(left, patch), fill)
                row.append(read(model(covered), y, whole))
            rows.append(torch.stack(row))
        return turn(torch.stack(rows))
    return occlusion_map


for names, entries in products(READS, CLASSES, FILLS, WINDOWS, PLACES, COVERS, TURNS, at_most=2):
    mistake("occlusion_map", *names)(heat_by(*entries))
mistake("occlusion_map", "patch and stride swapped")(heat_by(swap=True))


@mistake("occlusion_map", "parameters in another order")
def model_first_occlusion(model, image, y, patch=32, stride=16, fill=None):
    return heat_by()(image, y, model, patch, stride, fill)


# --- occlusion_map: habits and harm, which no value shows

@mistake("occlusion_map", "another dtype than the picture's")
def float_heat(image, y, model, patch=32, stride=16, fill=None):
    return heat_by()(image, y, model, patch, stride, fill).float()


@mistake("occlusion_map", "train mode while it runs")
def train_heat_and_back(image, y, model, patch=32, stride=16, fill=None):
    kept = {name: value.clone() for name, value in model.state_dict().items()}
    model.train()
    result = heat_by()(image, y, model, patch, stride, fill)
    model.eval().load_state_dict(kept)
    return result


@mistake("occlusion_map", "input changed")
def painted_on(image, y, model, patch=32, stride=16, fill=None):
    result = heat_by()(image, y, model, patch, stride, fill)
    image[:, :, -patch:, -patch:] = 0  # the last patch stays on the caller's picture
    return result


@mistake("occlusion_map", "model switched to train mode")
def train_mode_left(image, y, model, patch=32, stride=16, fill=None):
    result = heat_by()(image, y, model, patch, stride, fill)
    model.train()
    return result


# --- occlusion_map: right

@alternative("occlusion_map", "all windows in one batch")
def batched(image, y, model, patch=32, stride=16, fill=None):
    fill = (model.mean_color if fill is None else fill).to(image).view(3, 1, 1)
    tops, lefts = (starts(size, patch, stride) for size in image.shape[2:])
    covered = image.repeat(len(tops) * len(lefts), 1, 1, 1)
    for n, (top, left) in enumerate((top, left) for top in tops for left in lefts):
        covered[n, :, top:top + patch, left:left + patch] = fill
    return model(covered).softmax(dim=1)[:, y].view(len(tops), len(lefts))


@alternative("occlusion_map", "torch.where with a moving mask")
def moving_mask(image, y, model, patch=32, stride=16, fill=None):
    fill = (model.mean_color if fill is None else fill).to(image).view(1, 3, 1, 1)
    height, width = image.shape[2:]
    rows, cols = torch.arange(height)[:, None], torch.arange(width)
    def inside(top, left):
        return (rows >= top) & (rows < top + patch) & (cols >= left) & (cols < left + patch)
    return torch.stack([torch.stack([
        model(torch.where(inside(top, left), fill, image)).softmax(dim=1)[0, y]
        for left in starts(width, patch, stride)]) for top in starts(height, patch, stride)])


@alternative("occlusion_map", "softmax by hand, while loops, padding")
def by_hand(image, y, model, patch=32, stride=16, fill=None):
    fill = model.mean_color if fill is None else fill
    height, width = image.shape[2:]
    square = fill.to(image).view(1, 3, 1, 1).expand(1, 3, patch, patch)
    rows, top, last_row = [], 0, False
    while not last_row:
        last_row, top = top >= height - patch, min(top, height - patch)
        row, left, last = [], 0, False
        while not last:
            last, left = left >= width - patch, min(left, width - patch)
            around = (left, width - patch - left, top, height - patch - top)
            hole = F.pad(torch.ones_like(square), around)
            e = model(image * (1 - hole) + F.pad(square, around)).exp()[0]
            row.append((e[y] / e.sum()).item())
            left += stride
        rows.append(row)
        top += stride
    return torch.tensor(rows, dtype=image.dtype, device=image.device)


@alternative("occlusion_map", "in float64")
def occlude_double(image, y, model, patch=32, stride=16, fill=None):
    import copy
    network = copy.deepcopy(model).double()
    return heat_by()(image.double(), y, network, patch, stride, fill).to(image.dtype)


@alternative("occlusion_map", "other parameter names, with a note")
def renamed(img, label, net, size=32, step=16, color=None):
    return heat_by()(img, label, net, size, step, color)


# --- GuidedReLU: mistakes

def relu_with(rule, forward=lambda x: x.clamp(min=0)):
    """A ReLU Function whose backward is rule(x, gradient)."""
    class GuidedReLU(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return forward(x)

        @staticmethod
        def backward(ctx, gradient):
            x, = ctx.saved_tensors
            return rule(x, gradient)
    return GuidedReLU


FORWARDS = {
    "": lambda x: x.clamp(min=0),
    "no ReLU forward": lambda x: x.clone(),
    "forward cut at an upper bound": lambda x: x.clamp(0, 1),
    "mask instead of the ReLU forward": lambda x: (x > 0).to(x),
    "absolute value forward": lambda x: x.abs(),
    "leaky forward": lambda x: F.leaky_relu(x, 0.01),
}
GRADIENTS = {
    "": lambda g: g.clamp(min=0),
    "only the forward mask": lambda g: g,
    "gradient cut at 1": lambda g: g.clamp(0, 1),
    "absolute gradient": lambda g: g.abs(),
    "negative gradients kept": lambda g: g.clamp(max=0),
    "size of the gradient lost": lambda g: (g > 0).to(g),
}
MASKS = {
    "": lambda x: x > 0,
    "only the gradient clamped": lambda x: torch.ones_like(x),
    "mask also where the input is 0": lambda x: x >= 0,
    "mask upside down": lambda x: x < 0,
    "mask upside down ": lambda x: x <= 0,
    "gradient times the input": lambda x: x.clamp(min=0),
    "gradient times the input ": lambda x: x,
}
FACTORS = {"": 1, "gradient doubled": 2, "gradient's sign turned": -1}


def guided_by(forward, gradient, mask, factor):
    return relu_with(lambda x, g: factor * gradient(g) * mask(x), forward)


for names, entries in products(FORWARDS, GRADIENTS, MASKS, FACTORS, at_most=2):
    pair = ("only the forward mask", "only the gradient clamped")
    if set(pair) <= set(names):  # each drops one of the two conditions: together, both
        names = tuple(name for name in names if name not in pair) + ("neither mask",)
    mistake("GuidedReLU", *names)(guided_by(*entries))
for name, rule in {
    "either instead of both": lambda x, g: g * ((g > 0) | (x > 0)),
    "the input passed back": lambda x, g: x * ((g > 0) & (x > 0)),
    "the input passed back ": lambda x, g: x.clamp(min=0),
    "the input passed back  ": lambda x, g: x * (x > 0) * (g > 0),
}.items():
    mistake("GuidedReLU", name.strip())(relu_with(rule))


@mistake("GuidedReLU", "sign of the output instead of the input")
class OutputSaved(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        y = x.clamp(min=0)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, gradient):
        y, = ctx.saved_tensors
        return gradient.clamp(min=0) * (y >= 0)


@mistake("GuidedReLU", "plain ReLU")
class PlainReLU(torch.nn.ReLU):
    apply = staticmethod(torch.relu)


# What the notebook calls elsewhere, passed to the check by habit.
mistake("GuidedReLU", "the class itself not passed")(relu_with(
    lambda x, g: g.clamp(min=0) * (x > 0)).apply)


@mistake("GuidedReLU", "backward misspelt")
class Misspelt(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    def backwards(ctx, gradient):
        x, = ctx.saved_tensors
        return gradient.clamp(min=0) * (x > 0)


@mistake("GuidedReLU", "staticmethod forgotten")
class NoStatic(torch.autograd.Function):
    def forward(self, ctx, x):
        ctx.save_for_backward(x)
        return x.clamp(min=0)

    def backward(self, ctx, gradient):
        x, = ctx.saved_tensors
        return gradient.clamp(min=0) * (x > 0)


@mistake("GuidedReLU", "backward without return")
class NoReturn(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx, gradient):
        x, = ctx.saved_tensors
        gradient.clamp(min=0) * (x > 0)


@mistake("GuidedReLU", "several gradients returned")
class TwoGradients(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx, gradient):
        x, = ctx.saved_tensors
        return gradient.clamp(min=0) * (x > 0), x


@mistake("GuidedReLU", "nothing saved")
class NothingSaved(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx, gradient):
        x, = ctx.saved_tensors
        return gradient.clamp(min=0) * (x > 0)


@mistake("GuidedReLU", "ctx.saved_tensors is a tuple")
class Tuple(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx, gradient):
        x = ctx.saved_tensors
        return gradient.clamp(min=0) * (x > 0)


@mistake("GuidedReLU", "state outside ctx")
class SharedState(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        SharedState.x = x.detach()
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx, gradient):
        return gradient.clamp(min=0) * (SharedState.x > 0)


@mistake("GuidedReLU", "another dtype than x's")
class FloatReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.clamp(min=0).float()

    @staticmethod
    def backward(ctx, gradient):
        x, = ctx.saved_tensors
        return gradient.clamp(min=0) * (x > 0)


@mistake("GuidedReLU", "input changed")
class InPlace(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.mask = x > 0
        return x.clamp_(min=0).clone()

    @staticmethod
    def backward(ctx, gradient):
        return gradient.clamp(min=0) * ctx.mask


@mistake("GuidedReLU", "input changed")
class GradientChanged(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.mask = x > 0
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx, gradient):
        gradient[gradient < 0] = 0
        return gradient * ctx.mask


# --- GuidedReLU: right

ALTERNATIVES["GuidedReLU"]["torch.where"] = relu_with(
    lambda x, g: torch.where((x > 0) & (g > 0), g, 0))
ALTERNATIVES["GuidedReLU"]["ReLU of both, forward by mask"] = relu_with(
    lambda x, g: torch.relu(g) * torch.heaviside(x, torch.zeros_like(x)),
    forward=lambda x: x * (x > 0))


@alternative("GuidedReLU", "sign of the output, above 0")
class SignOfOutput(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        y = torch.maximum(x, torch.zeros_like(x))
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, gradient):
        return gradient.clamp(min=0) * ctx.saved_tensors[0].sign()


@alternative("GuidedReLU", "setup_context, zeros written in a copy")
class SetupContext(torch.autograd.Function):
    @staticmethod
    def forward(x):
        return x.relu()

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(inputs[0])

    @staticmethod
    def backward(ctx, gradient):
        x, = ctx.saved_tensors
        gradient = gradient.clone()
        gradient[(gradient < 0) | (x <= 0)] = 0
        return gradient


@alternative("GuidedReLU", "channels last, in float64")
class DoubleReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.mask = x > 0
        return x.double().clamp(min=0).to(x.dtype)

    @staticmethod
    def backward(ctx, gradient):
        return (gradient.double().clamp(min=0) * ctx.mask).to(gradient.dtype)


# --- segment_by_saliency: mistakes

def picture_bytes(image, scale=255):
    return (image[0].permute(1, 2, 0) * scale).round().byte().cpu().numpy()  # (H, W, 3)


def converted(code, scale=255):
    def convert(image):
        picture = picture_bytes(image, scale)
        return picture if code is None else cv2.cvtColor(picture, code)
    return convert


def gaussian(sigma):
    return lambda map: cv2.GaussianBlur(map, (0, 0), sigma)


def quantiles(low=0.30, middle=0.70, high=0.95):
    return lambda blurred, raw: np.quantile(blurred, [low, middle, high])


def labels_of(blurred, low, middle, high, sure=(cv2.GC_FGD, cv2.GC_BGD),
              probable=(cv2.GC_PR_FGD, cv2.GC_PR_BGD)):
    labels = np.where(blurred > middle, *probable).astype(np.uint8)
    for label, place in zip(sure, (blurred >= high, blurred <= low)):
        if label is not None:
            labels[place] = label
    return labels


def grab_cut(picture, labels, rounds=5):
    labels = labels.copy()
    cv2.setRNGSeed(0)
    cv2.grabCut(picture, labels, None, np.zeros((1, 65)), np.zeros((1, 65)), rounds,
                cv2.GC_INIT_WITH_MASK)
    return labels


def found(labels, before):
    return (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)


PICTURES = {
    "": converted(cv2.COLOR_RGB2LAB), "not converted to Lab": converted(None),
    "BGR and RGB mixed": converted(cv2.COLOR_BGR2LAB),
    "another colour space than Lab": converted(cv2.COLOR_RGB2LUV),
    "another colour space than Lab ": converted(cv2.COLOR_RGB2HSV),
    "another colour space than Lab  ": converted(cv2.COLOR_RGB2YCrCb),
    "picture not scaled to 255": converted(cv2.COLOR_RGB2LAB, 0.5),  # as .byte() of these: all 0
    "picture not scaled to 255 ": converted(cv2.COLOR_RGB2LAB, 1),
    "picture not scaled to 255  ": converted(None, 0.5),
}
BLURS = {
    "": gaussian(3), "saliency not smoothed": lambda map: map,
    **{"another blur" + " " * i: gaussian(sigma) for i, sigma in enumerate((1, 1.5, 2, 4, 5))},
    "another blur     ": lambda map: cv2.blur(map, (3, 3)),
    "another blur      ": lambda map: cv2.blur(map, (7, 7)),
}
LEVELS = {
    "": quantiles(),
    "quantiles of the unblurred map":
        lambda blurred, raw: np.quantile(raw, [0.30, 0.70, 0.95]),
    "parts of the maximum instead of quantiles":
        lambda blurred, raw: np.array([0.30, 0.70, 0.95]) * blurred.max(),
    "parts of the range instead of quantiles":
        lambda blurred, raw: blurred.min() + np.array([0.30, 0.70, 0.95]) * np.ptp(blurred),
    **{"low quantile off" + " " * i: quantiles(low=q) for i, q in enumerate((0.05, 0.1, 0.2, 0.5))},
    **{"middle quantile off" + " " * i: quantiles(middle=q)
       for i, q in enumerate((0.5, 0.6, 0.8, 0.9))},
    **{"high quantile off" + " " * i: quantiles(high=q) for i, q in enumerate((0.8, 0.9, 0.99))},
}
SEEDS = {
    "": {}, "thresholds swapped": {"sure": (cv2.GC_BGD, cv2.GC_FGD)},
    "no sure background": {"sure": (cv2.GC_FGD, None)},
    "no sure foreground": {"sure": (None, cv2.GC_BGD)},
    "no probable foreground": {"probable": (cv2.GC_PR_BGD, cv2.GC_PR_BGD)},
    "no probable background": {"probable": (cv2.GC_PR_FGD, cv2.GC_PR_FGD)},
}
ROUNDS = {"": 5, **{"another number of rounds" + " " * i: n for i, n in enumerate((1, 2, 3, 10))}}
ANSWERS = {
    "": found,
    "GrabCut's answer not used": lambda labels, before: found(before, before),
    "probable label dropped": lambda labels, before: labels == cv2.GC_FGD,
    "sure label dropped": lambda labels, before: labels == cv2.GC_PR_FGD,
    "background instead of foreground": lambda labels, before: ~found(labels, before),
}


def cut_by(picture=PICTURES[""], blur=BLURS[""], levels=LEVELS[""], seeds=SEEDS[""], rounds=5,
           answer=found):
    """segment_by_saliency put together from its factors."""
    def segment_by_saliency(image, saliency):
        raw = saliency.detach().cpu().numpy()
        blurred = blur(raw)
        before = labels_of(blurred, *levels(blurred, raw), **seeds)
        labels = grab_cut(picture(image), before, rounds)
        return torch.from_numpy(answer(labels, before)).to(image.device)
    return segment_by_saliency


for names, entries in products(PICTURES, BLURS, LEVELS, SEEDS, ROUNDS, ANSWERS, at_most=1):
    mistake("segment_by_saliency", *names)(cut_by(*entries))


def some(factor, *names):
    return {name: factor[name] for name in ("", *names)}


for names, entries in products(
        some(PICTURES, "not converted to Lab", "BGR and RGB mixed", "picture not scaled to 255"),
        some(BLURS, "saliency not smoothed"),
        some(LEVELS, "parts of the maximum instead of quantiles"),
        some(SEEDS, "thresholds swapped", "no sure background"), {"": 5},
        some(ANSWERS, "probable label dropped", "background instead of foreground"), at_most=2):
    if len(names) == 2:
        mistake("segment_by_saliency", *names)(cut_by(*entries))


@mistake("segment_by_saliency", "saliency from the wrong image")
def wrong_map(image, saliency):
    return cut_by()(image, image[0].mean(dim=0))


@mistake("segment_by_saliency", "picture not 8-bit RGB")
def picture_of_floats(image, saliency):
    return cut_by(lambda image: image[0].permute(1, 2, 0).cpu().numpy() * 255)(image, saliency)


@mistake("segment_by_saliency", "labels not 8-bit")
def whole_labels(image, saliency):
    blurred = gaussian(3)(saliency.detach().cpu().numpy())
    labels = labels_of(blurred, *quantiles()(blurred, None)).astype(np.int64)
    return torch.from_numpy(found(grab_cut(PICTURES[""](image), labels), None))


@mistake("segment_by_saliency", "parameters in another order")
def map_first(saliency, image):
    return cut_by()(image, saliency)


@mistake("segment_by_saliency", "float32 only")
def float_map(image, saliency):
    kernel = torch.ones(1, dtype=torch.float32)
    return cut_by()(image, torch.dot(kernel, torch.ones(1, dtype=saliency.dtype)) * saliency)


@mistake("segment_by_saliency", "input changed")
def scaled_in_place(image, saliency):
    saliency.detach().div_(saliency.max())
    return cut_by()(image, saliency)


# --- segment_by_saliency: right

@alternative("segment_by_saliency", "OpenCV's kernel written out, another seed")
def with_kernel(image, saliency):
    cv2.setRNGSeed(5)
    kernel = cv2.getGaussianKernel(25, 3)
    blurred = cv2.sepFilter2D(saliency.detach().cpu().double().numpy(), -1, kernel, kernel)
    labels = labels_of(blurred, *np.quantile(blurred, [0.30, 0.70, 0.95]))
    cv2.grabCut(PICTURES[""](image), labels, None, np.zeros((1, 65)), np.zeros((1, 65)), 5,
                cv2.GC_INIT_WITH_MASK)
    return torch.from_numpy(found(labels, None)).to(image.device)


@alternative("segment_by_saliency", "torch quantiles, in float64")
def torch_quantiles(image, saliency):
    levels = torch.tensor([0.30, 0.70, 0.95], dtype=torch.float64)
    return cut_by(levels=lambda blurred, raw: torch.quantile(
        torch.from_numpy(blurred), levels).numpy())(image, saliency.double())


@alternative("segment_by_saliency", "bytes cut instead of rounded, sorted by hand, no seed")
def sorted_by_hand(image, saliency):
    picture = cv2.cvtColor(np.uint8(image.detach().cpu().numpy()[0].transpose(1, 2, 0) * 255),
                           cv2.COLOR_RGB2LAB)
    smooth = gaussian(3)(saliency.detach().cpu().numpy())
    places = np.array([0.30, 0.70, 0.95]) * (smooth.size - 1)
    low, middle, high = np.interp(places, np.arange(smooth.size), np.sort(smooth, axis=None))
    labels = np.select([smooth >= high, smooth <= low, smooth > middle],
                       [cv2.GC_FGD, cv2.GC_BGD, cv2.GC_PR_FGD], cv2.GC_PR_BGD).astype(np.uint8)
    labels, _, _ = cv2.grabCut(picture, labels, None, None, None, 5, cv2.GC_INIT_WITH_MASK)
    return torch.tensor(labels % 2 == 1, device=image.device)
