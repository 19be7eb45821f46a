"""What students write for notebook 08: known mistakes, and right solutions that look different.

The step and the pyramid are read factor by factor, so their mistakes are put together from factors
here as well; those of the guide have fingerprints, which `make goldens` takes by running them.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F

from cs_vis.grading.mistakes import collection, products
from cs_vis.models import activations

EXERCISES = ("deepdream_step", "octave_pyramid", "match_guide")
MISTAKES, ALTERNATIVES, mistake, alternative = collection(*EXERCISES)
DREAM, OCTAVES, GUIDE = EXERCISES
COMBINED = {DREAM: [], OCTAVES: []}  # slips at once, which the tests prove to be all said


# --- deepdream_step: mistakes

def next_layer(layer):
    """The layer that follows in the tiny networks, as someone counts who counts from 1."""
    names = ["conv1", "norm", "relu", "pool", "conv2", "conv2", "dropout", "head", "head"]
    return names[names.index(layer) + 1]


LAYERS = {  # which layer is asked, of the one that should be
    "": lambda layer: layer,
    "layer before": {"conv2": "pool", "pool": "relu", "head": "dropout", "relu3_1": "conv3_1"}.get,
    "layer after": {"conv2": "conv2", "pool": "conv2", "head": "head", "relu3_1": "pool3"}.get,
    "another layer": lambda layer: "conv1",
}
GOALS = {  # of the activations a, as one climbs them
    "": lambda a: a.square().sum() / 2,
    "descended": lambda a: -a.square().sum() / 2,
    "activations added up": torch.sum,
    "activations added up ": torch.mean,
    "absolute values added up": lambda a: a.abs().mean(),
    "largest activation alone": torch.max,
    "one channel alone": lambda a: a[0, 0].square().sum(),
    "activations measured from their mean": lambda a: a.var(correction=0),
    "powers of the activations": lambda a: (a ** 3).mean(),
    "powers of the activations ": lambda a: (a ** 4).mean(),
}
DIVISORS = {  # of the gradient g
    "": lambda g: g.abs().mean() + 1e-12,
    "not divided": lambda g: 1,
    "divided by the L2 norm": lambda g: g.norm() + 1e-12,
    "divided by the standard deviation": lambda g: g.std() + 1e-8,
    "divided by the standard deviation ": lambda g: g.square().mean().sqrt() + 1e-8,
    "divided by the largest": lambda g: g.abs().max() + 1e-12,
    "divided by the mean with its signs": lambda g: g.mean() + 1e-12,
    "divided by the sum": lambda g: g.abs().sum() + 1e-12,
    "divided by the mean of squares": lambda g: g.square().mean() + 1e-12,
    "sign step": lambda g: g.abs() + 1e-12,
    "large constant in the divisor": lambda g: g.abs().mean() + 1e-3,
    "large constant in the divisor ": lambda g: g.abs().mean() + 1,
    "large constant in the divisor  ": lambda g: g.abs().mean().clamp(min=1),
    "mean over a part of the gradient": lambda g: g.abs().mean(dim=(2, 3), keepdim=True) + 1e-12,
    "mean over a part of the gradient ": lambda g: g.abs().mean(dim=1, keepdim=True) + 1e-12,
}
RATES = {"": lambda rate: rate, "learning rate unused": lambda rate: 0.02,
         "another learning rate": lambda rate: rate / 2}


def roll(x, ox, oy):
    return x.roll((oy, ox), dims=(2, 3))


def shift(x, ox, oy):
    """Zeros enter, and what leaves is lost."""
    height, width = x.shape[2:]
    around = F.pad(x, (width, width, height, height))
    return around[:, :, height - oy:2 * height - oy, width - ox:2 * width - ox]


JITTERS = {  # how it is moved, by how much, and by how much back
    "": (roll, lambda ox, oy: (ox, oy), lambda ox, oy: (-ox, -oy)),
    "jitter left out": (roll, lambda ox, oy: (0, 0), lambda ox, oy: (0, 0)),
    "jitter not undone": (roll, lambda ox, oy: (ox, oy), lambda ox, oy: (0, 0)),
    "jitter undone the wrong way": (roll, lambda ox, oy: (ox, oy), lambda ox, oy: (ox, oy)),
    "jitter undone in part": (roll, lambda ox, oy: (ox, oy), lambda ox, oy: (-ox, 0)),
    "jitter undone in part ": (roll, lambda ox, oy: (ox, oy), lambda ox, oy: (-oy, -ox)),
    "ox and oy exchanged": (roll, lambda ox, oy: (oy, ox), lambda ox, oy: (-oy, -ox)),
    "jitter the other way": (roll, lambda ox, oy: (-ox, -oy), lambda ox, oy: (ox, oy)),
    "one direction turned round": (roll, lambda ox, oy: (-ox, oy), lambda ox, oy: (ox, -oy)),
    "one direction left out": (roll, lambda ox, oy: (0, oy), lambda ox, oy: (0, -oy)),
    "zeros enter": (shift, lambda ox, oy: (ox, oy), lambda ox, oy: (-ox, -oy)),
    "rolled as one row": (lambda x, ox, oy: x.roll(ox).roll(oy), lambda ox, oy: (ox, oy),
                          lambda ox, oy: (-ox, -oy)),
}
CLIPS = {
    "": lambda x: x.clamp(0, 1), "not clipped": lambda x: x,
    "clipped to another range": lambda x: x.clamp(-1, 1),
    "clipped on one side": lambda x: x.clamp(min=0),
    "rescaled instead of clipped": lambda x: (x - x.min()) / (x.max() - x.min()),
}


def step_by(asked=LAYERS[""], goal=GOALS[""], divisor=DIVISORS[""], rate=RATES[""],
            jitter=JITTERS[""], clip=CLIPS[""], piles_up=False):
    """deepdream_step put together from its factors."""
    move, there, back = jitter

    def deepdream_step(img, model, layer, learning_rate, ox, oy):
        leaf = img.requires_grad_() if piles_up else img.detach()
        moved = move(leaf, *there(ox, oy)).requires_grad_()
        goal(activations(model, moved, asked(layer))[asked(layer)]).backward()
        with torch.no_grad():
            g = move(leaf.grad, *there(ox, oy)) if piles_up else moved.grad
            moved = moved + rate(learning_rate) * g / divisor(g)
            return clip(move(moved, *back(ox, oy)))
    return deepdream_step


FACTORS = (LAYERS, GOALS, DIVISORS, RATES, JITTERS, CLIPS, {"": False, "gradient piles up": True})


def same_as_fewer(names) -> bool:
    """Slips that together are the algebra of fewer, or that no other formula can share a step."""
    names = set(names)
    return (  # both turn round
        {"divided by the mean with its signs", "descended"} <= names
        # half of it all is half of any measure
        or names & {"not divided", "divided by the mean of squares",
                    "large constant in the divisor"} and names & set(RATES) - {""}
        # below the constant nothing is divided, and of a stretched picture none is read
        or "large constant in the divisor" in names and names & (
            {*GOALS, "another layer", "rescaled instead of clipped"} - {"", "descended"})
        # after a ReLU all are absolute
        or {"layer before", "absolute values added up"} <= names
        # what leaves is not there any more
        or {"zeros enter", "gradient piles up"} <= names
        # stretched to the whole range, a step has no length of its own
        or "rescaled instead of clipped" in names and names & set(RATES)
        # the same gradient twice is the same step
        or "gradient piles up" in names and names & {"another layer", "layer after"}
        # too short a step to reach the border
        or "divided by the sum" in names and names & set(CLIPS))


for names, entries in products(*FACTORS, at_most=1):
    mistake(DREAM, *names)(step_by(*entries))
COMBINED[DREAM] += [(names, step_by(*entries)) for names, entries in products(*FACTORS, at_most=2)
                    if len(names) == 2 and not same_as_fewer(names)]


def hooked(img, model, layer, keep):
    """(leaf, what a hook at the layer keeps), as people write it who know no activations()."""
    kept, leaf = {}, img.detach().clone().requires_grad_()
    handle = dict(model.named_modules())[layer].register_forward_hook(
        lambda module, given, output: kept.update(a=keep(output)))
    try:
        model(leaf)
    finally:
        handle.remove()
    return leaf, kept["a"]


def by_hook(img, model, layer, learning_rate, ox, oy, keep):
    leaf, a = hooked(roll(img, ox, oy), model, layer, keep)
    gradient, = torch.autograd.grad(0.5 * (a ** 2).sum(), leaf)
    new = leaf.detach() + learning_rate * gradient / (gradient.abs().mean() + 1e-12)
    return roll(new, -ox, -oy).clamp(0, 1)


@mistake(DREAM, "layer written over")
def hook_keeps_the_tensor(img, model, layer, learning_rate, ox, oy):
    return by_hook(img, model, layer, learning_rate, ox, oy, keep=lambda output: output)


@mistake(DREAM, "hooks left")
def hook_left(img, model, layer, learning_rate, ox, oy):
    model.register_forward_hook(lambda module, given, output: None)
    return step_by()(img, model, layer, learning_rate, ox, oy)


@mistake(DREAM, "step not rolled back")
def gradient_where_it_was_rolled_to(img, model, layer, learning_rate, ox, oy):
    moved = roll(img, ox, oy).requires_grad_()
    activations(model, moved, layer)[layer].square().sum().backward()
    g = moved.grad / (moved.grad.abs().mean() + 1e-12)
    return (img + learning_rate * g).clamp(0, 1)


@mistake(DREAM, "not clipped")
def clipped_before(img, model, layer, learning_rate, ox, oy):
    return step_by(clip=CLIPS["not clipped"])(img.clamp(0, 1), model, layer, learning_rate, ox, oy)


@mistake(DREAM, "not divided")
def norm_of_the_activations(img, model, layer, learning_rate, ox, oy):
    return step_by(goal=torch.norm, divisor=DIVISORS["not divided"])(
        img, model, layer, learning_rate, ox, oy)


@mistake(DREAM, "not divided")
def mean_square(img, model, layer, learning_rate, ox, oy):
    return step_by(goal=lambda a: a.square().mean(), divisor=DIVISORS["not divided"])(
        img, model, layer, learning_rate, ox, oy)


@mistake(DREAM, "gradient piles up")
def divided_in_place(img, model, layer, learning_rate, ox, oy):
    img.requires_grad_()
    a = activations(model, roll(img, ox, oy), layer)[layer]
    (a ** 2).sum().backward()
    img.grad /= img.grad.abs().mean() + 1e-12
    return (img.detach() + learning_rate * img.grad).clamp(0, 1)


@mistake(DREAM, "gradient piles up")
def momentum(img, model, layer, learning_rate, ox, oy):
    new = step_by(piles_up=True)(img, model, layer, learning_rate, ox, oy)
    img.grad *= 0.5
    return new


@mistake(DREAM, "something kept between calls")
def gradient_taken_once(img, model, layer, learning_rate, ox, oy):
    if img.grad is None:
        leaf = roll(img, ox, oy).requires_grad_()
        activations(model, leaf, layer)[layer].square().sum().backward()
        img.grad = roll(leaf.grad, -ox, -oy)
    g = img.grad / (img.grad.abs().mean() + 1e-12)
    return (img.detach() + learning_rate * g).clamp(0, 1)


@mistake(DREAM, "input changed")
def in_place(img, model, layer, learning_rate, ox, oy):
    img.copy_(step_by()(img, model, layer, learning_rate, ox, oy))
    return img


@mistake(DREAM, "nothing returned")
def no_return(img, model, layer, learning_rate, ox, oy):
    step_by()(img, model, layer, learning_rate, ox, oy)


@mistake(DREAM, "layer without rows and columns")
def axes_by_name(img, model, layer, learning_rate, ox, oy):
    return step_by(goal=lambda a: a.square().sum(dim=(2, 3)).sum())(
        img, model, layer, learning_rate, ox, oy)


@mistake(DREAM, "parameters in another order")
def model_first(model, img, layer, learning_rate, ox, oy):
    return step_by()(img, model, layer, learning_rate, ox, oy)


@mistake(DREAM, "parameters in another order")
def rows_first(img, model, layer, learning_rate, oy, ox):
    return step_by()(img, model, layer, learning_rate, ox, oy)


@mistake(DREAM, "another dtype than img's")
def float_picture(img, model, layer, learning_rate, ox, oy):
    return step_by()(img, model, layer, learning_rate, ox, oy).float()


@mistake(DREAM, "train mode while it runs")
def train_and_back(img, model, layer, learning_rate, ox, oy):
    kept = {name: value.clone() for name, value in model.state_dict().items()}
    model.train()
    new = by_hook(img, model, layer, learning_rate, ox, oy, keep=torch.clone)
    model.eval().load_state_dict(kept)
    return new


@mistake(DREAM, "model switched to train mode")
def train_mode(img, model, layer, learning_rate, ox, oy):
    new = step_by()(img, model, layer, learning_rate, ox, oy)
    model.train()
    return new


@mistake(DREAM, "weights' gradients left")
def thawed(img, model, layer, learning_rate, ox, oy):
    model.requires_grad_()
    return step_by()(img, model, layer, learning_rate, ox, oy)


# --- deepdream_step: right

@alternative(DREAM, "a hook that keeps a clone")
def clone_kept(img, model, layer, learning_rate, ox, oy):
    return by_hook(img, model, layer, learning_rate, ox, oy, keep=torch.clone)


@alternative(DREAM, "backward from the activations themselves")
def from_the_layer(img, model, layer, learning_rate, ox, oy):
    x = torch.roll(img, (oy, ox), (-2, -1)).detach().requires_grad_(True)
    a = activations(model, x, [layer])[layer]
    a.backward(a.detach())
    with torch.no_grad():
        x += learning_rate * x.grad / (x.grad.abs().mean() + 1e-8)
    return torch.roll(x.detach(), (-oy, -ox), (-2, -1)).clip(0, 1)


@alternative(DREAM, "the norm, the mean square: other multiples of one direction")
def other_multiples(img, model, layer, learning_rate, ox, oy):
    goal = torch.norm if img.shape[2] % 2 else lambda a: (a ** 2).mean()
    return step_by(goal=goal)(img, model, layer, learning_rate, ox, oy)


@alternative(DREAM, "a loss descended, clamped in place")
def descended_loss(img, model, layer, learning_rate, ox, oy):
    x = img.clone().roll((oy, ox), (2, 3)).requires_grad_()
    loss = -activations(model, x, layer)[layer].pow(2).sum()
    loss.backward()
    x.data -= learning_rate * x.grad / max(float(x.grad.abs().mean()), 1e-10)
    x.data.clamp_(0, 1)
    return x.data.roll((-oy, -ox), (2, 3))


@alternative(DREAM, "the gradient at img itself, through the roll")
def through_the_roll(img, model, layer, learning_rate, ox, oy):
    x = img.detach().clone().requires_grad_()
    a = activations(model, x.roll(ox, 3).roll(oy, 2), layer)[layer]
    g, = torch.autograd.grad(a.norm() ** 2 / 2, x)
    size = g.abs().sum() / g.numel()
    return (img + learning_rate * g / size if size > 0 else img).clamp(0, 1)


@alternative(DREAM, "NumPy, and an optimiser")
def numpy_and_adam(img, model, layer, learning_rate, ox, oy):
    x = torch.from_numpy(np.roll(img.detach().cpu().numpy(), (ox, oy), (3, 2)).copy())
    x = x.to(img.device).requires_grad_()
    sgd = torch.optim.SGD([x], lr=learning_rate, maximize=True)
    (activations(model, x, layer)[layer].square().sum() / 2).backward()
    x.grad /= np.abs(x.grad.cpu().numpy()).mean() + 1e-9
    sgd.step()
    return torch.minimum(torch.ones(()).to(x), x.detach().relu()).roll((-oy, -ox), dims=(2, 3))


@alternative(DREAM, "torch.func, in float64 and back")
def functional(img, model, layer, learning_rate, ox, oy):
    def goal(x):
        a = activations(model, x, layer)[layer]
        return torch.einsum("i,i->", a.flatten(), a.flatten())
    x = torch.roll(img, shifts=(oy, ox), dims=(2, 3))
    g = torch.func.grad(goal)(x).double()
    new = x.double() + learning_rate * g / g.abs().mean().clamp(min=1e-30)
    return torch.roll(new, shifts=(-oy, -ox), dims=(2, 3)).clamp(0, 1).to(img.dtype)


@alternative(DREAM, "a graph that is kept, with a note")
def with_graph(img, model, layer, learning_rate, ox, oy):
    x = roll(img, ox, oy).requires_grad_()
    g, = torch.autograd.grad(activations(model, x, layer)[layer].square().sum(), x)
    return roll(x + learning_rate * g / (g.abs().mean() + 1e-9), -ox, -oy).clamp(0, 1)


@alternative(DREAM, "0 / 0 where nothing is seen, with a note")
def no_guard(img, model, layer, learning_rate, ox, oy):
    return step_by(divisor=lambda g: g.abs().mean())(img, model, layer, learning_rate, ox, oy)


@alternative(DREAM, "a constant of 1e-6 in the divisor")
def with_a_small_constant(img, model, layer, learning_rate, ox, oy):
    return step_by(divisor=lambda g: g.abs().mean() + 1e-6)(
        img, model, layer, learning_rate, ox, oy)


@alternative(DREAM, "the mean square, and a constant of 1e-6 in the divisor")
def mean_square_with_a_small_constant(img, model, layer, learning_rate, ox, oy):
    return step_by(goal=lambda a: a.square().mean(), divisor=lambda g: g.abs().mean() + 1e-6)(
        img, model, layer, learning_rate, ox, oy)


@alternative(DREAM, "other parameter names, with a note")
def renamed(picture, net, name, lr, dx, dy):
    return step_by()(picture, net, name, lr, dx, dy)


# --- octave_pyramid: mistakes

SIZES = {  # of a side, for k = octaves - 1 … 0
    "": lambda side, scale, k: round(side / scale ** k),
    "sizes cut instead of rounded": lambda side, scale, k: int(side / scale ** k),
    "sizes cut instead of rounded ": lambda side, scale, k: int(side * scale ** -k),
    "sizes rounded up": lambda side, scale, k: math.ceil(side / scale ** k),
    "sizes from repeated shrinking":
        lambda side, scale, k: side if k == 0 else round(
            SIZES["sizes from repeated shrinking"](side, scale, k - 1) / scale),
    "sizes from repeated shrinking ":
        lambda side, scale, k: side if k == 0 else int(
            SIZES["sizes from repeated shrinking "](side, scale, k - 1) / scale),
    "scale inverted": lambda side, scale, k: round(side * scale ** k),
    "scale not raised to a power": lambda side, scale, k: round(side / (scale * k or 1)),
    "full size only": lambda side, scale, k: side,
    "other sizes": lambda side, scale, k: round(side / scale ** k) + (k > 0),
}
NUMBERS = {
    "": lambda octaves: reversed(range(octaves)), "octaves in the wrong order": range,
    "one octave too few": lambda octaves: reversed(range(octaves - 1)),
    "one octave too few ": lambda octaves: reversed(range(1, octaves)),
    "one octave too many": lambda octaves: reversed(range(octaves + 1)),
}


def interpolated(mode="bilinear", **options):
    return lambda x, size: F.interpolate(x, size=size, mode=mode, **options)


RESIZES = {  # how pictures are made smaller, and details larger
    "": (interpolated(antialias=True), interpolated(antialias=True)),
    "not antialiased": (interpolated(), interpolated()),
    "corners aligned": (interpolated(align_corners=True, antialias=True),) * 2,
    "corners aligned ": (interpolated(align_corners=True),) * 2,
    "another interpolation": (interpolated("nearest"),) * 2,
    "another interpolation ": (interpolated("bicubic", antialias=True),) * 2,
    "another interpolation  ": (interpolated("area"), interpolated(antialias=True)),
}
STARTS = {  # of base, the enlarged last base, start and dream
    "": lambda base, b, s, d: base + d - b,
    "lost detail not added again": lambda base, b, s, d: d,
    "nothing carried on": lambda base, b, s, d: base,
    "base added twice": lambda base, b, s, d: base + d,
    "base and dream averaged": lambda base, b, s, d: (base + d) / 2,
    "earlier octaves lost": lambda base, b, s, d: base + d - s,
    "detail piles up": lambda base, b, s, d: base + (s - b) + (d - b),
    "detail's sign turned": lambda base, b, s, d: base - (d - b),
}
ENDS = {  # of base, start and dream
    "": lambda b, s, d: d, "last dream left out": lambda b, s, d: s,
    "detail returned alone": lambda b, s, d: d - b, "base returned": lambda b, s, d: b,
}
BASES = {"": False, "bases shrunk one from the other": True}
CALLS = {"": 1, "dream called twice": 2}


def pyramid_by(sized=SIZES[""], numbers=NUMBERS[""], resizes=RESIZES[""], start=STARTS[""],
               end=ENDS[""], chained=False, calls=1, turned=False):
    """octave_pyramid put together from its factors."""
    shrink, enlarge = resizes

    def octave_pyramid(img, dream, octaves, scale):
        sides = img.shape[2:][::-1] if turned else img.shape[2:]
        sizes = [[sized(side, scale, k) for side in sides] for k in numbers(octaves)]
        bases = [shrink(img, size) for size in sizes]
        if chained:
            bases = [shrink(img, sizes[-1])]
            for size in sizes[-2::-1]:
                bases.insert(0, shrink(bases[0], size))
        level = None
        for base, size in zip(bases, sizes):
            begun = base if level is None else start(base, *(enlarge(x, size) for x in level))
            dreamed = begun
            for _ in range(calls):
                dreamed = dream(dreamed)
            level = base, begun, dreamed
        return end(*level)
    return octave_pyramid


def told_as_fewer(names) -> bool:
    """Slips of which one leaves nothing for the other to show in."""
    names = set(names)
    started, ended = names & set(STARTS), names & set(ENDS)
    return (  # octaves of one size, or larger ones, shrink nothing
        names & {"full size only", "scale inverted"} and names & {*RESIZES, *BASES}
        # a dream at the small size only
        or "base returned" in names and len(names) > 1
        or started and ended
        # what is not enlarged
        or "nothing carried on" in names and names & {*ENDS, *BASES, *RESIZES}
        # of one size nothing is lost
        or {"full size only", "lost detail not added again"} <= names
        # of the last octave's detail alone next to nothing depends on its base
        or {"earlier octaves lost", "bases shrunk one from the other"} <= names
        # both are about which sizes there are
        or len(names & {*SIZES, *NUMBERS, "dream called twice", "rows and columns exchanged"}) > 1
        or "octaves in the wrong order" in names and names & set(BASES)
        # called twice: no pyramid is known that is dreamed so
        or "dream called twice" in names)


PYRAMIDS = (SIZES, NUMBERS, RESIZES, STARTS, ENDS, BASES, CALLS,
            {"": False, "rows and columns exchanged": True})
for names, entries in products(*PYRAMIDS, at_most=1):
    mistake(OCTAVES, *names)(pyramid_by(*entries))
COMBINED[OCTAVES] += [
    (names, pyramid_by(*entries)) for names, entries in products(*PYRAMIDS, at_most=2)
    if len(names) == 2 and not told_as_fewer(names)]


@mistake(OCTAVES, "dream not called")
def no_dream(img, dream, octaves, scale):
    return pyramid_by()(img, lambda x: x, octaves, scale)


@mistake(OCTAVES, "single octave not dreamed")
def one_octave_left_alone(img, dream, octaves, scale):
    return img if octaves == 1 else pyramid_by()(img, dream, octaves, scale)


@mistake(OCTAVES, "parameters in another order")
def dream_first(dream, img, octaves, scale):
    return pyramid_by()(img, dream, octaves, scale)


@mistake(OCTAVES, "parameters in another order")
def scale_first(img, dream, scale, octaves):
    return pyramid_by()(img, dream, octaves, scale)


@mistake(OCTAVES, "another dtype than img's")
def float_detail(img, dream, octaves, scale):
    return pyramid_by()(img, lambda x: dream(x).float(), octaves, scale)


@mistake(OCTAVES, "input changed")
def written_into(img, dream, octaves, scale):
    img.copy_(pyramid_by()(img, dream, octaves, scale))
    return img


# --- octave_pyramid: right

def resize(x, size):
    return F.interpolate(x, size=size, mode="bilinear", antialias=True)


@alternative(OCTAVES, "lost detail kept apart, as in Keras")
def lost_detail(img, dream, octaves, scale):
    """What the next size has and the enlarged smaller one has not is put back after the dream."""
    height, width = img.shape[2:]
    sizes = [(round(height / scale ** k), round(width / scale ** k)) for k in range(octaves)][::-1]
    small = resize(img, sizes[0])
    x = dream(small)
    for size in sizes[1:]:
        lost = resize(img, size) - resize(small, size)
        x = dream(resize(x, size) + lost)
        small = resize(img, size)
    return x


@alternative(OCTAVES, "octaves in a list, as in Caffe")
def listed(img, dream, octaves, scale):
    bases = [img] + [resize(img, [round(n / scale ** k) for n in img.shape[-2:]])
                     for k in range(1, octaves)]
    detail = torch.zeros_like(bases[-1])
    for base in bases[::-1]:
        if detail.shape != base.shape:
            detail = resize(detail, base.shape[-2:])
        x = dream(base + detail)
        detail = x - base
    return x


@alternative(OCTAVES, "recursion")
def recursive(img, dream, octaves, scale):
    def detail(k):
        size = [round(n / scale ** k) for n in img.shape[2:]]
        base = resize(img, size)
        before = resize(detail(k + 1), size) if k + 1 < octaves else 0
        return dream(base + before) - base
    return img + detail(0)


@alternative(OCTAVES, "enlarged without antialias; what a dream starts from clipped, with a note")
def enlarged_plainly(img, dream, octaves, scale):
    detail = None
    for k in range(octaves)[::-1]:
        base = img if k == 0 else resize(img, [int(n / scale ** k + 0.5) for n in img.shape[2:]])
        start = base if detail is None else base + F.interpolate(
            detail, base.shape[2:], mode="bilinear", align_corners=False)
        dreamed = dream(start.clamp(0, 1))
        detail = dreamed - base
    return dreamed.detach()


@alternative(OCTAVES, "in float64 and back, torchvision's resize")
def by_torchvision(img, dream, octaves, scale):
    from torchvision.transforms.functional import resize as resized
    detail = torch.zeros_like(img).double()
    for k in range(octaves - 1, -1, -1):
        size = [round(img.shape[2] / scale ** k), round(img.shape[3] / scale ** k)]
        base = resized(img.double(), size, antialias=True)
        x = dream((base + resized(detail, size, antialias=True)).to(img.dtype))
        detail = x.double() - base
    return x


@alternative(OCTAVES, "details that are clipped, with a note")
def clipped_details(img, dream, octaves, scale):
    return pyramid_by()(img, lambda x: dream(x).clamp(0, 1), octaves, scale)


@alternative(OCTAVES, "a graph that is kept, with a note")
def graph_kept(img, dream, octaves, scale):
    kept = torch.ones((), requires_grad=True, dtype=img.dtype)
    return pyramid_by()(img, dream, octaves, scale) * kept


@alternative(OCTAVES, "other parameter names, with a note")
def pyramid_renamed(x, function, n, factor):
    return pyramid_by()(x, function, n, factor)


# --- match_guide: mistakes

PRODUCTS = {  # of features (P, C) and guide (Q, C) -> (P, Q)
    "": lambda f, g: f @ g.T,
    "cosine instead of the inner product":
        lambda f, g: F.normalize(f, dim=1) @ F.normalize(g, dim=1).T,
    "distance instead of the inner product": lambda f, g: -torch.cdist(f, g),
    "distance instead of the inner product ": lambda f, g: -torch.cdist(f, g, p=1),
    "smallest instead of largest": lambda f, g: -(f @ g.T),
    "sign of the product lost": lambda f, g: (f @ g.T).abs(),
    "negative products cut": lambda f, g: (f @ g.T).relu(),
    "one vector for all": lambda f, g: (f @ g.T).sum(dim=0).expand(len(f), -1),
    "one vector for all ": lambda f, g: g.norm(dim=1).expand(len(f), -1),
    "searched for each place of the guide":
        lambda f, g: F.one_hot((f @ g.T).argmax(dim=0)[torch.arange(len(f)) % len(g)],
                               max(len(f), len(g))).to(f)[:, :len(g)],
}
PICKS = {  # of products (P, Q), features (P, C), guide (Q, C) -> (P, C)
    "": lambda p, f, g: g[p.argmax(dim=1)],
    "blend of the guide": lambda p, f, g: p.softmax(dim=1) @ g,
    "multiplied by the product": lambda p, f, g: g[p.argmax(dim=1)] * p.amax(dim=1, keepdim=True),
    "multiplied by the product ": lambda p, f, g: g[p.argmax(dim=1)] * f,
    "products returned": lambda p, f, g: p.amax(dim=1, keepdim=True).expand_as(f),
    "features instead of the guide": lambda p, f, g: f[p.argmax(dim=1) % len(f)],
    "features instead of the guide ": lambda p, f, g: f,
}


def match_by(product=PRODUCTS[""], pick=PICKS[""]):
    """match_guide put together from its factors."""
    def match_guide(features, guide):
        f, g = (x.detach()[0].flatten(1).T for x in (features, guide))
        return pick(product(f, g), f, g).T.reshape(features.shape)
    return match_guide


SEARCHES = {"one vector for all", "searched for each place of the guide", "products returned"}
for names, entries in products(PRODUCTS, PICKS):
    # The features' own vectors need no search, and a search for nothing finds no vectors.
    alone = entries[1] is PICKS["features instead of the guide "] or set(names) & SEARCHES
    if len(names) == 1 or not alone:
        mistake(GUIDE, *names)(match_by(*entries))


@mistake(GUIDE, "channels one by one")
def each_channel(features, guide):
    f, g = features.detach()[0].flatten(1), guide.detach()[0].flatten(1)
    best = (f[:, :, None] * g[:, None, :]).argmax(dim=2)  # (C, P)
    return g.gather(1, best).view_as(features)


@mistake(GUIDE, "same position")
def no_search(features, guide):
    return guide.detach().clone().view_as(features)


@mistake(GUIDE, "same position")
def no_search_resized(features, guide):
    return F.interpolate(guide.detach(), features.shape[2:], mode="bilinear")


@mistake(GUIDE, "mean of the guide")
def mean_of_the_guide(features, guide):
    return guide.detach().mean(dim=(2, 3), keepdim=True).expand_as(features).clone()


@mistake(GUIDE, "largest of the guide, channel by channel")
def largest_of_the_guide(features, guide):
    return guide.detach().amax(dim=(2, 3), keepdim=True).expand_as(features).clone()


def unravelled(width, kept):
    """The guide's vectors at row i // width, column i % width, kept inside the guide."""
    def match_guide(features, guide):
        best = (features.detach()[0].flatten(1).T @ guide.detach()[0].flatten(1)).argmax(dim=1)
        wide = width(features, guide)
        rows, cols = kept(best // wide, guide.shape[2]), kept(best % wide, guide.shape[3])
        return guide.detach()[:, :, rows, cols].view_as(features)
    return match_guide


for width in (lambda features, guide: features.shape[3], lambda features, guide: guide.shape[2]):
    for kept in (lambda i, size: i % size, lambda i, size: i.clamp(max=size - 1),
                 lambda i, size: i):
        mistake(GUIDE, "wrong width")(unravelled(width, kept))


@mistake(GUIDE, "searched for each place of the guide")
def argmax_over_the_features(features, guide):
    f, g = (x.detach()[0].flatten(1) for x in (features, guide))
    return g[:, (f.T @ g).argmax(dim=0)].view_as(features)


@mistake(GUIDE, "searched for each place of the guide")
def argmax_over_the_features_reshaped(features, guide):
    f, g = (x.detach()[0].flatten(1) for x in (features, guide))
    return g[:, (f.T @ g).argmax(dim=0)].reshape(1, -1, *features.shape[2:])


@mistake(GUIDE, "one search for all places")
def argmax_over_all(features, guide):
    f, g = (x.detach()[0].flatten(1) for x in (features, guide))
    return g[:, (f.T @ g).argmax()].view_as(features)


@mistake(GUIDE, "last of equals")
def last_of_equals(features, guide):
    return match_by()(features, guide.flip(2, 3))


@mistake(GUIDE, "negative products cut")
def search_from_zero(features, guide):
    """Where nothing is above 0, nothing is found."""
    f, g = (x.detach()[0].flatten(1).T for x in (features, guide))
    products = f @ g.T
    found = g[products.argmax(dim=1)] * (products.amax(dim=1, keepdim=True) > 0)
    return found.T.reshape(features.shape)


@mistake(GUIDE, "gradient through the match")
def straight_through(features, guide):
    return match_by()(features, guide) + features - features.detach()


@mistake(GUIDE, "gradient through the match")
def straight_through_by_a_factor(features, guide):
    return match_by()(features, guide) * (1 + features.sum() - features.sum().detach())


@mistake(GUIDE, "view instead of transposing")
def viewed(features, guide):
    channels = features.shape[1]
    f, g = features.detach().reshape(-1, channels), guide.detach().reshape(-1, channels)
    return g[(f @ g.T).argmax(dim=1)].view_as(features)


@mistake(GUIDE, "view instead of transposing")
def viewed_at_the_end(features, guide):
    f, g = (x.detach()[0].flatten(1).T for x in (features, guide))
    return g[(f @ g.T).argmax(dim=1)].reshape(features.shape)


@mistake(GUIDE, "rows and columns exchanged")
def transposed(features, guide):
    return match_by()(features.mT, guide).view_as(features)


@mistake(GUIDE, "indices returned")
def indices(features, guide):
    f, g = (x.detach()[0].flatten(1).T for x in (features, guide))
    return (f @ g.T).argmax(dim=1).view(1, 1, *features.shape[2:]).to(features).expand_as(
        features).clone()


@mistake(GUIDE, "parameters in another order")
def guide_first(guide, features):
    return match_by()(features, guide)


@mistake(GUIDE, "another dtype than the features'")
def into_zeros(features, guide):
    result = torch.zeros(features.shape)
    result[:] = match_by()(features, guide)
    return result


@mistake(GUIDE, "graph in the way")
def no_detach(features, guide):
    f, g = (x[0].flatten(1).numpy().T for x in (features, guide))
    return torch.from_numpy(g[(f @ g.T).argmax(axis=1)].T.reshape(features.shape).copy())


@mistake(GUIDE, "input changed")
def written_into_features(features, guide):
    features.detach().copy_(match_by()(features, guide))
    return features


# --- match_guide: right

@alternative(GUIDE, "loops over positions")
def loops(features, guide):
    result = torch.empty_like(features.detach())
    for y in range(features.shape[2]):
        for x in range(features.shape[3]):
            fits = (features.detach()[0, :, y, x, None, None] * guide.detach()[0]).sum(dim=0)
            v, u = np.unravel_index(int(fits.argmax()), fits.shape)
            result[0, :, y, x] = guide.detach()[0, :, v, u]
    return result


@alternative(GUIDE, "NumPy, as in Caffe")
def in_numpy(features, guide):
    x, y = (t.detach().cpu().numpy()[0] for t in (features, guide))
    channels = x.shape[0]
    x, y = x.reshape(channels, -1), y.reshape(channels, -1)
    return torch.from_numpy(y[:, x.T.dot(y).argmax(1)].reshape(features.shape)).to(features.device)


@alternative(GUIDE, "index_select, no_grad, permute")
@torch.no_grad()
def selected(features, guide):
    f = features.permute(0, 2, 3, 1).reshape(-1, features.shape[1])
    g = guide.permute(0, 2, 3, 1).reshape(-1, guide.shape[1])
    rows = g.index_select(0, torch.matmul(f, g.t()).max(1).indices)
    return rows.view(*features.shape[2:], -1).permute(2, 0, 1)[None].contiguous()


@alternative(GUIDE, "a convolution with the guide's vectors")
def convolved(features, guide):
    kernels = guide.detach().flatten(2)[0].T[:, :, None, None]  # (gh · gw, C, 1, 1)
    best = F.conv2d(features.detach(), kernels).argmax(dim=1)  # (1, h, w)
    return guide.detach().flatten(2)[0][:, best[0]][None]


@alternative(GUIDE, "one-hot rows, the features' lengths divided away")
def one_hot(features, guide):
    f = F.normalize(features.detach(), dim=1).flatten(2)
    g = guide.detach().flatten(2)
    best = torch.bmm(f.transpose(1, 2), g).argmax(dim=2)
    return torch.bmm(g, F.one_hot(best, g.shape[2]).to(g).transpose(1, 2)).view_as(features)


@alternative(GUIDE, "a loop that keeps the best so far")
def best_so_far(features, guide):
    f, g = (x.detach()[0].flatten(1).T for x in (features, guide))
    most, found = f.new_full((len(f),), -math.inf), torch.zeros_like(f)
    for vector in g:
        larger = f @ vector > most
        most, found = torch.where(larger, f @ vector, most), torch.where(larger[:, None], vector,
                                                                         found)
    return found.T.reshape(features.shape)


@alternative(GUIDE, "written into a copy of the features, whose graph leads nowhere, with a note")
def into_a_copy(features, guide):
    result = features.clone()
    result[:] = match_by()(features, guide)
    return result


@alternative(GUIDE, "a graph that is kept, with a note")
def guide_with_graph(features, guide):
    f, g = features[0].flatten(1), guide[0].flatten(1)
    return g[:, (f.T @ g).argmax(dim=1)].view_as(features)


@alternative(GUIDE, "other parameter names, with a note")
def match_renamed(a, b):
    return match_by()(a, b)
