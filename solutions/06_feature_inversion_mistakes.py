"""What students write for notebook 06: known mistakes, and right solutions that look different.

The step is read factor by factor, so its mistakes are put together from factors here as well; the
others have fingerprints, which `make goldens` takes by running them.
"""

from functools import partial

import numpy as np
import torch
import torch.nn.functional as F

from cs_vis import activations
from cs_vis.grading.mistakes import collection, products

EXERCISES = ("feature_distance", "total_variation", "alpha_norm", "inversion_step")
MISTAKES, ALTERNATIVES, mistake, alternative = collection(*EXERCISES)
DISTANCE, VARIATION, ALPHA, STEP = EXERCISES


def some(table, *names):
    """What is right, and these slips alone, in their first form."""
    return {name: table[name] for name in ("", *names)}


def pairs_of(exercise, build, factors, often, as_one):
    """Every slip of the factors alone, and two at once of those that are seen often."""
    for names, entries in products(*factors, at_most=1):
        mistake(exercise, *names)(build(*entries))
    for names, entries in products(*(some(*chosen) for chosen in often), at_most=2):
        if len(names) == 2 and not as_one(set(names)):
            mistake(exercise, *names)(build(*entries))


# --- feature_distance: mistakes

MEASURES = {  # of features f and target t: what stands above
    "": lambda f, t: ((f - t) ** 2).sum(),
    "not summed": lambda f, t: ((f - t) ** 2).sum(dim=1),
    "not summed ": lambda f, t: (f - t) ** 2,
    "norm instead of squared norm": lambda f, t: (f - t).norm(),
    "absolute differences instead of squares": lambda f, t: (f - t).abs().sum(),
    "added before the square": lambda f, t: (f - t).sum() ** 2,
    "squares subtracted": lambda f, t: (f ** 2).sum() - (t ** 2).sum(),
    "squares subtracted ": lambda f, t: (f.norm() - t.norm()) ** 2,
    "sum instead of difference": lambda f, t: ((f + t) ** 2).sum(),
    "target left out": lambda f, t: (f ** 2).sum(),
    "largest difference only": lambda f, t: (f - t).abs().max(),
    "largest difference only ": lambda f, t: ((f - t) ** 2).max(),
    "mean instead of the sum": lambda f, t: ((f - t) ** 2).mean(),
    "halved": lambda f, t: ((f - t) ** 2).sum() / 2,
}
SIZES = {  # what it is divided by
    "": lambda f, t: (t ** 2).sum(),
    "not divided by the target": lambda f, t: 1,
    "divided by the number of values": lambda f, t: f.numel(),
    "divided by the target's norm": lambda f, t: t.norm(),
    "divided by the target's mean square": lambda f, t: (t ** 2).mean(),
    "divided by the target's sum": lambda f, t: t.sum(),
    "divided by the target's sum ": lambda f, t: t.abs().sum(),
    "divided by the target's sum  ": lambda f, t: t.sum() ** 2,
    "divided by the target's largest value": lambda f, t: t.max(),
    "divided by the target's largest value ": lambda f, t: t.max() ** 2,
    "divided by the target's variance": lambda f, t: t.var(),
    "divided by the target's variance ": lambda f, t: ((t - t.mean()) ** 2).sum(),
    "divided by the current features": lambda f, t: (f ** 2).sum(),
    "divided by the current features ": lambda f, t: (f.detach() ** 2).sum(),
    "divided by both": lambda f, t: (f ** 2).sum() + (t ** 2).sum(),
    "divided by both ": lambda f, t: f.norm() * t.norm(),
}
FLOWS = {"": lambda x: x, "no gradient": lambda x: x.detach()}


def distance_by(measure=MEASURES[""], size=SIZES[""], flow=FLOWS[""]):
    """feature_distance put together from its factors."""
    return lambda features, target: (measure(flow(features), target)
                                     / size(flow(features), target))


def one_distance(names) -> bool:
    """Two slips of the distance that are one, or none."""
    return names in ({"norm instead of squared norm", "divided by the target's norm"},
                     {"mean instead of the sum", "not divided by the target"},
                     {"mean instead of the sum", "divided by the target's mean square"})


pairs_of(DISTANCE, distance_by, (MEASURES, SIZES, FLOWS), (
    (MEASURES, "norm instead of squared norm", "absolute differences instead of squares",
     "mean instead of the sum", "halved", "sum instead of difference"),
    (SIZES, "not divided by the target", "divided by the number of values",
     "divided by the target's norm", "divided by the target's mean square",
     "divided by the current features"), (FLOWS, "no gradient")), one_distance)


@mistake(DISTANCE, "root of the distance")
def root_of_both(features, target):
    return (features - target).norm() / target.norm()


@mistake(DISTANCE, "root of the distance")
def root_of_the_quotient(features, target):
    return (((features - target) ** 2).sum() / (target ** 2).sum()) ** 0.5


@mistake(DISTANCE, "divided by the number of values")
def by_mse_loss(features, target):
    return F.mse_loss(features, target)


@mistake(DISTANCE, "divided value by value")
def value_by_value(features, target):
    return ((features - target) ** 2 / (target ** 2 + 1e-2)).sum()


@mistake(DISTANCE, "divided value by value")
def value_by_value_of_size_one(features, target):
    return (((features - target) / (target.abs() + 1)) ** 2).sum()


def distance_with(constant):
    return distance_by(size=lambda f, t: (t ** 2).sum() + constant)


for large in (1e-3, 1e-2, 1.0):
    mistake(DISTANCE, "large constant in the divisor")(distance_with(large))


@mistake(DISTANCE, "large constant in the divisor")
def both_by_the_norm_and_more(features, target):
    return ((features - target).norm() / (target.norm() + 1e-3)) ** 2


@mistake(DISTANCE, "large constant in the divisor")
def at_least_one(features, target):
    return ((features - target) ** 2).sum() / (target ** 2).sum().clamp(min=1)


@mistake(DISTANCE, "no gradient")
def a_number(features, target):
    return (((features - target) ** 2).sum() / (target ** 2).sum()).item()


@mistake(DISTANCE, "no gradient")
def under_no_grad(features, target):
    with torch.no_grad():
        return ((features - target) ** 2).sum() / (target ** 2).sum()


@mistake(DISTANCE, "parameters in another order")
def target_first(target, features):
    return distance_by()(features, target)


@mistake(DISTANCE, "another dtype than the input's")
def float_distance(features, target):
    return distance_by()(features, target).float()


@mistake(DISTANCE, "input changed")
def target_scaled(features, target):
    unit = target.div_(target.norm())
    return ((features / unit.norm() - unit) ** 2).sum()


# --- feature_distance: right

for small in (1e-6, 1e-8):
    ALTERNATIVES[DISTANCE][f"a constant of {small:g} in the divisor"] = distance_with(small)


@alternative(DISTANCE, "norms squared, a small number below")
def by_norms(features, target):
    return torch.norm(features - target) ** 2 / (torch.norm(target) ** 2 + 1e-10)


@alternative(DISTANCE, "mean over mean")
def by_means(features, target):
    return F.mse_loss(features, target) / target.pow(2).mean()


@alternative(DISTANCE, "both divided by the norm, then squared")
def by_units(features, target):
    size = torch.linalg.vector_norm(target.detach())
    return torch.sum((features / size - target.detach() / size) ** 2)


@alternative(DISTANCE, "dot products of flat vectors")
def by_dots(features, target):
    d, t = (features - target).flatten(), target.flatten()
    return d @ d / (t @ t)


@alternative(DISTANCE, "multiplied out")
def multiplied_out(features, target):
    a, b = features.reshape(-1), target.reshape(-1)
    return (torch.dot(a, a) - 2 * torch.dot(a, b) + torch.dot(b, b)) / torch.dot(b, b)


@alternative(DISTANCE, "einsum, the size as a number")
def by_einsum(features, target):
    d = (features - target).flatten(1)
    return torch.einsum("nk,nk->", d, d) / float(np.sum(target.detach().cpu().numpy() ** 2.0))


@alternative(DISTANCE, "mse_loss summed, other parameter names, with a note")
def renamed_distance(feats, wanted):
    return F.mse_loss(feats, wanted, reduction="sum") / F.mse_loss(
        torch.zeros_like(wanted), wanted, reduction="sum")


@alternative(DISTANCE, "a loop over the channels")
def by_channels(features, target):
    total = 0.0
    for f, t in zip(features[0], target[0]):
        total = total + ((f - t) ** 2).sum()
    return total / sum((t ** 2).sum() for t in target[0])


# --- total_variation: mistakes

def after(x, axis):
    """Differences to the next one, 0 at the end."""
    return torch.cat([x.diff(dim=axis), torch.zeros_like(x.narrow(axis, 0, 1))], dim=axis)


def before(x, axis):
    return torch.cat([torch.zeros_like(x.narrow(axis, 0, 1)), x.diff(dim=axis)], dim=axis)


def mirrored(x, axis):
    differences = x.diff(dim=axis)
    return torch.cat([differences, -differences.narrow(axis, -1, 1)], dim=axis)


def two_apart(x, axis):
    inner, size = x.narrow(5 - axis, 1, x.shape[5 - axis] - 2), x.shape[axis] - 2
    return inner.narrow(axis, 2, size) - inner.narrow(axis, 0, size)


def two_apart_padded(x, axis):
    size = x.shape[axis] - 2
    there = x.narrow(axis, 2, size) - x.narrow(axis, 0, size)
    return torch.cat([there, torch.zeros_like(x.narrow(axis, 0, 2))], dim=axis)


def zeros_beyond(x, axis):
    return torch.cat([x, torch.zeros_like(x.narrow(axis, 0, 1))], dim=axis).diff(dim=axis)


NEIGHBOURS = {  # the differences along the rows and down the columns
    "": lambda x: (after(x, 3), after(x, 2)),
    "trimmed edges": lambda x: (x[..., :-1, 1:] - x[..., :-1, :-1],
                                x[..., 1:, :-1] - x[..., :-1, :-1]),
    "trimmed edges ": lambda x: (x[..., 1:-1, 2:] - x[..., 1:-1, 1:-1],
                                 x[..., 2:, 1:-1] - x[..., 1:-1, 1:-1]),
    "the other side beyond the border": lambda x: (x.roll(-1, 3) - x, x.roll(-1, 2) - x),
    "the other side beyond the border ": lambda x: (x.roll(1, 3) - x, x.roll(1, 2) - x),
    "zeros beyond the border": lambda x: (zeros_beyond(x, 3), zeros_beyond(x, 2)),
    "mirrored beyond the border": lambda x: (mirrored(x, 3), mirrored(x, 2)),
    "along the rows only": lambda x: (after(x, 3), 0 * x),
    "down the columns only": lambda x: (0 * x, after(x, 2)),
    "neighbours two apart": lambda x: (two_apart(x, 3), two_apart(x, 2)),
    "neighbours two apart ": lambda x: (two_apart_padded(x, 3), two_apart_padded(x, 2)),
    "neighbours before instead of after": lambda x: (before(x, 3), before(x, 2)),
    "differences between colours": lambda x: (after(x, 2), after(x, 1)),
    "differences between colours ": lambda x: (after(x, 3), after(x, 1)),
    "differences between colours  ": lambda x: (x[:, :-1, 1:] - x[:, :-1, :-1],
                                                x[:, 1:, :-1] - x[:, :-1, :-1]),
}
JOINS = {  # the terms, of both differences, `power` and beta / 2
    "": lambda r, d, power, half: power(r ** 2 + d ** 2, half),
    "each direction by itself": lambda r, d, power, half: power(r ** 2, half) + power(d ** 2, half),
    "absolute differences instead of squares":
        lambda r, d, power, half: power(r.abs() + d.abs(), half),
    "absolute differences instead of squares ":
        lambda r, d, power, half: power(r.abs() + d.abs(), 2 * half),
    "added before the square": lambda r, d, power, half: power((r + d) ** 2, half),
    "colours together":
        lambda r, d, power, half: power((r ** 2 + d ** 2).sum(dim=1, keepdim=True), half),
    "power of the whole sum": lambda r, d, power, half: power((r ** 2 + d ** 2).sum(), half),
    "power of the whole sum ":
        lambda r, d, power, half: power((r ** 2).sum(), half) + power((d ** 2).sum(), half),
    "power of the whole sum  ":
        lambda r, d, power, half: power(r ** 2 + d ** 2, 0.5).sum() ** (2 * half),
    "root of both powers":
        lambda r, d, power, half: power(power(r ** 2, half) + power(d ** 2, half), 0.5),
    "beta / 2 twice":
        lambda r, d, power, half: power(power(r ** 2, half) + power(d ** 2, half), half),
}
HALVES = {  # the power at a pixel
    "": lambda beta: beta / 2,
    "beta instead of beta / 2": lambda beta: beta,
    "beta over 2 rounded down": lambda beta: beta // 2,
    "beta / 2 twice": lambda beta: (beta / 2) ** 2,
    "beta unused": lambda beta: 1,
    "beta unused ": lambda beta: 0.5,
    "one over beta": lambda beta: 1 / beta,
    "one over beta ": lambda beta: 2 / beta,
}
SUMS = {  # of the terms
    "": lambda terms, beta: terms.sum(),
    "not summed": lambda terms, beta: terms.sum(dim=(0, 2, 3)) if terms.ndim else terms,
    "not summed ": lambda terms, beta: terms,
    "root of the sum": lambda terms, beta: terms.sum() ** (1 / beta),
    "root of the sum ": lambda terms, beta: terms.sum().sqrt(),
    "mean instead of the sum": lambda terms, beta: terms.mean(),
    "mean instead of the sum ":
        lambda terms, beta: terms.sum() / terms[0, 0].numel() if terms.ndim else terms,
    "halved": lambda terms, beta: terms.sum() / 2,
}


def where_it_varies(square, half):
    """The power, 0 where the sum of squares is 0 and without a gradient there."""
    varies = square > 0
    return torch.where(varies, torch.where(varies, square, 1) ** half, 0)


POWERS = {"": where_it_varies,
          "NaN where neighbours are equal": lambda square, half: square ** half}


def variation_by(neighbours=NEIGHBOURS[""], join=JOINS[""], half=HALVES[""], total=SUMS[""],
                 power=POWERS[""], flow=FLOWS[""]):
    """total_variation put together from its factors."""
    return lambda img, beta: total(join(*neighbours(flow(img)), power, half(beta)), beta)


def one_variation(names) -> bool:
    """Two slips of the variation that are one, or of which one hides the other."""
    absolute = "absolute differences instead of squares"
    return (  # there is no second direction to join
        "along the rows only" in names and {"each direction by itself", absolute} & names
        # one is another form of the other
        or names == {absolute, "beta instead of beta / 2"}
        # the gradient is nowhere NaN
        or "NaN where neighbours are equal" in names
        and {"no gradient", "beta instead of beta / 2"} & names)


pairs_of(VARIATION, variation_by, (NEIGHBOURS, JOINS, HALVES, SUMS, POWERS, FLOWS), (
    (NEIGHBOURS, "trimmed edges", "the other side beyond the border", "along the rows only",
     "differences between colours"),
    (JOINS, "each direction by itself", "absolute differences instead of squares",
     "colours together"),
    (HALVES, "beta instead of beta / 2", "beta / 2 twice"),
    (SUMS, "mean instead of the sum", "root of the sum", "halved"),
    (POWERS, "NaN where neighbours are equal"), (FLOWS, "no gradient")), one_variation)


@mistake(VARIATION, "NaN where neighbours are equal")
def root_and_power(img, beta):
    down = F.pad(img[:, :, 1:] - img[:, :, :-1], (0, 0, 0, 1))
    right = F.pad(img[..., 1:] - img[..., :-1], (0, 1))
    return (torch.sqrt(down ** 2 + right ** 2) ** beta).sum()


@mistake(VARIATION, "NaN where neighbours are equal")
def padded_by_the_last_pixel(img, beta):
    x = F.pad(img, (0, 1, 0, 1), mode="replicate")
    right, down = x[..., :-1, 1:] - img, x[..., 1:, :-1] - img
    return ((right ** 2 + down ** 2) ** (beta / 2)).sum()


@mistake(VARIATION, "NaN where neighbours are equal")
def length_by_hypot(img, beta):
    return torch.hypot(after(img, 3), after(img, 2)).pow(beta).sum()


def with_constant(constant):
    return variation_by(power=lambda square, half: (square + constant) ** half)


for large in (1e-7, 1e-6, 1e-4, 1e-2):
    mistake(VARIATION, "large constant under the power")(with_constant(large))


@mistake(VARIATION, "large constant under the power")
def clamped_high(img, beta):
    return ((after(img, 3) ** 2 + after(img, 2) ** 2).clamp(min=1e-5) ** (beta / 2)).sum()


@mistake(VARIATION, "large constant under the power")
def clamped_a_little_high(img, beta):
    return ((after(img, 3) ** 2 + after(img, 2) ** 2).clamp(min=1e-7) ** (beta / 2)).sum()


@mistake(VARIATION, "flat pixels count 1")
def filled_with_ones(img, beta):
    square = after(img, 3) ** 2 + after(img, 2) ** 2
    return torch.where(square > 0, square, 1).pow(beta / 2).sum()


@mistake(VARIATION, "NaN where neighbours are equal")
def complex_lengths(img, beta):
    """Finite for beta 1 and above."""
    return torch.complex(after(img, 3), after(img, 2)).abs().pow(beta).sum()


@mistake(VARIATION, "NaN where neighbours are equal")
def lengths_of_both(img, beta):
    """Finite for beta 1 and above."""
    both = torch.stack([after(img, 3), after(img, 2)])
    return (torch.linalg.vector_norm(both, dim=0) ** beta).sum()


@mistake(VARIATION, "beta over 2 rounded down")
def floored(img, beta):
    return ((after(img, 3) ** 2 + after(img, 2) ** 2) ** (beta // 2)).sum()


@mistake(VARIATION, "constant under each square")
def constant_inside(img, beta):
    right, down = after(img, 3) + 1e-8, after(img, 2) + 1e-8
    return ((right ** 2 + down ** 2) ** (beta / 2)).sum()


@mistake(VARIATION, "differences of two sizes")
def not_padded(img, beta):
    right, down = img[..., 1:] - img[..., :-1], img[..., 1:, :] - img[..., :-1, :]
    return ((right ** 2 + down ** 2) ** (beta / 2)).sum()


@mistake(VARIATION, "differences of two sizes")
def padded_the_other_way(img, beta):
    right = F.pad(img[..., 1:] - img[..., :-1], (0, 0, 0, 1))
    down = F.pad(img[..., 1:, :] - img[..., :-1, :], (0, 1))
    return ((right ** 2 + down ** 2) ** (beta / 2)).sum()


@mistake(VARIATION, "mean instead of the sum", "large constant under the power")
def mean_with_constant(img, beta):
    square = after(img, 3) ** 2 + after(img, 2) ** 2
    return ((square + 1e-4) ** (beta / 2)).mean()


@mistake(VARIATION, "no gradient")
def by_numpy(img, beta):
    x = img.detach().cpu().numpy()
    right, down = (np.diff(x, axis=axis, append=np.take(x, [-1], axis)) for axis in (3, 2))
    return torch.from_numpy((right ** 2 + down ** 2) ** (beta / 2)).sum()


@mistake(VARIATION, "no gradient")
def a_plain_number(img, beta):
    return variation_by()(img, beta).item()


@mistake(VARIATION, "parameters in another order")
def beta_first(beta, img):
    return variation_by()(img, beta)


@mistake(VARIATION, "another dtype than the input's")
def float_variation(img, beta):
    return variation_by()(img.float(), beta)


# --- total_variation: right

for small in (1e-8, 1e-10, 1e-12, 1e-20):
    ALTERNATIVES[VARIATION][f"a constant of {small:g} under the power"] = with_constant(small)


@alternative(VARIATION, "clamped from below, padded by the last pixel")
def clamped_low(img, beta):
    padded = F.pad(img, (0, 1, 0, 1), mode="replicate")
    right = padded[:, :, :-1, 1:] - img
    down = padded[:, :, 1:, :-1] - img
    return (right ** 2 + down ** 2).clamp(min=1e-8).pow(beta / 2).sum()


@alternative(VARIATION, "lengths of stacked differences that are not 0")
def by_lengths(img, beta):
    both = torch.stack([after(img, 3), after(img, 2)]).flatten(1)
    return (torch.linalg.vector_norm(both[:, both.any(dim=0)], dim=0) ** beta).sum()


@alternative(VARIATION, "written into zeros, only what is above 0")
def written_into_zeros(img, beta):
    square = torch.zeros_like(img)
    square[:, :, :-1] += (img[:, :, 1:] - img[:, :, :-1]) ** 2
    square[:, :, :, :-1] += (img[:, :, :, 1:] - img[:, :, :, :-1]) ** 2
    return torch.sum(square[square != 0] ** (beta / 2))


@alternative(VARIATION, "inner part, last row and last column by themselves")
def in_three_parts(img, beta):
    right, down = img[..., 1:] - img[..., :-1], img[..., 1:, :] - img[..., :-1, :]
    inner = (right[..., :-1, :] ** 2 + down[..., :-1] ** 2 + 1e-12) ** (beta / 2)
    edges = [(part.abs() + 1e-7) ** beta for part in (right[..., -1, :], down[..., -1])]
    return inner.sum() + edges[0].sum() + edges[1].sum()


@alternative(VARIATION, "convolved with two kernels, colour by colour")
def convolved(img, beta):
    x = F.pad(img, (0, 1, 0, 1), mode="replicate").transpose(0, 1)  # colours as pictures
    kernels = img.new_tensor([[[[-1, 1], [0, 0]]], [[[-1, 0], [1, 0]]]])
    both = F.conv2d(x, kernels)
    return ((both ** 2).sum(dim=1) + 1e-9).pow(beta / 2).sum()


@alternative(VARIATION, "exp and log, other parameter names, with a note")
def by_logarithms(x, b):
    square = torch.stack([after(x, 3), after(x, 2)]).square().sum(dim=0)
    return (b / 2 * (square + 1e-10).log()).exp().sum()


@alternative(VARIATION, "colour by colour, in float64")
def colour_by_colour(img, beta):
    total = 0
    for x in img[0].double():
        right = torch.diff(x, dim=1, append=x[:, -1:])
        down = torch.diff(x, dim=0, append=x[-1:])
        total += torch.sum((right.square() + down.square() + 1e-15) ** (0.5 * beta))
    return total.to(img.dtype)


# --- alpha_norm: mistakes

BASES = {  # what is raised, of the picture x
    "": lambda x: x.abs(),
    "no absolute value": lambda x: x,
    "negative values left out": lambda x: x.clamp(min=0),
    "mean of the picture taken off": lambda x: (x - x.mean()).abs(),
    "mean of the picture taken off ": lambda x: (x - x.mean(dim=(2, 3), keepdim=True)).abs(),
    "0.5 taken off again": lambda x: (x - 0.5).abs(),
    "colours together": lambda x: x.norm(dim=1),
    "alpha twice as large": lambda x: x ** 2,
}
RAISED = {  # to what
    "": lambda x, alpha: x ** alpha,
    "alpha unused": lambda x, alpha: x ** 2,
    "alpha unused ": lambda x, alpha: x ** 6,
    "alpha unused  ": lambda x, alpha: x,
    "alpha over 2": lambda x, alpha: x ** (alpha / 2),
    "one over alpha": lambda x, alpha: (x + 1e-12) ** (1 / alpha),
    "alpha as a factor": lambda x, alpha: alpha * x,
}
TOTALS = {  # what is done with the powers
    "": lambda terms, alpha: terms.sum(),
    "not summed": lambda terms, alpha: terms,
    "not summed ": lambda terms, alpha: terms.sum(dim=1),
    "root of the sum": lambda terms, alpha: terms.sum() ** (1 / alpha),
    "root of the sum ": lambda terms, alpha: terms.sum().sqrt(),
    "mean instead of the sum": lambda terms, alpha: terms.mean(),
    "mean instead of the sum ": lambda terms, alpha: terms.sum() / terms.shape[-2:].numel(),
    "largest value only": lambda terms, alpha: terms.max(),
    "halved": lambda terms, alpha: terms.sum() / 2,
    "divided by alpha": lambda terms, alpha: terms.sum() / alpha,
}


def alpha_by(base=BASES[""], raised=RAISED[""], total=TOTALS[""], flow=FLOWS[""]):
    """alpha_norm put together from its factors."""
    return lambda img, alpha: total(raised(base(flow(img)), alpha), alpha)


def one_alpha(names) -> bool:
    """Two slips of which one hides the other: squares have no sign, a sum of signs has no root."""
    return "no absolute value" in names and {"root of the sum", "alpha unused"} & names


pairs_of(ALPHA, alpha_by, (BASES, RAISED, TOTALS, FLOWS), (
    (BASES, "no absolute value", "mean of the picture taken off", "0.5 taken off again"),
    (RAISED, "alpha unused"), (TOTALS, "root of the sum", "mean instead of the sum", "halved"),
    (FLOWS, "no gradient")), one_alpha)


@mistake(ALPHA, "root of the sum")
def by_norm(img, alpha):
    return torch.norm(img, p=alpha)


@mistake(ALPHA, "no absolute value")
def absolute_value_afterwards(img, alpha):
    return (img ** alpha).abs().sum()


@mistake(ALPHA, "no gradient")
def a_float(img, alpha):
    return (img.abs() ** alpha).sum().item()


@mistake(ALPHA, "parameters in another order")
def alpha_first(alpha, img):
    return alpha_by()(img, alpha)


@mistake(ALPHA, "another dtype than the input's")
def float_alpha(img, alpha):
    return (img.abs() ** alpha).sum(dtype=torch.float32)


@mistake(ALPHA, "NaN where values are 0")
def squares_to_half_the_power(img, alpha):
    return (img ** 2).pow(alpha / 2).sum()


@mistake(ALPHA, "NaN where values are 0")
def exp_of_logarithms(img, alpha):
    return torch.exp(alpha * img.abs().log()).sum()


# --- alpha_norm: right

@alternative(ALPHA, "a norm raised again")
def norm_raised(img, alpha):
    return torch.linalg.vector_norm(img, ord=alpha) ** alpha


@alternative(ALPHA, "squares to half the power")
def by_squares(img, alpha):
    return (img ** 2 + 1e-14).pow(alpha / 2).sum()


@alternative(ALPHA, "sign times value, summed axis by axis")
def by_sign(img, alpha):
    return torch.pow(img * img.sign(), alpha).sum(3).sum(2).sum(1).squeeze()


@alternative(ALPHA, "colour by colour, other parameter names, with a note")
def alpha_by_colours(x, a):
    return sum(torch.sum(torch.abs(color) ** a) for color in x[0])


@alternative(ALPHA, "einsum, in float64")
def alpha_by_einsum(img, alpha):
    return torch.einsum("nchw->", torch.abs(img.double()).pow(float(alpha))).to(img.dtype)


# --- inversion_step: mistakes

ENERGIES = {  # of features f and target t
    "": lambda f, t: ((f - t) ** 2).sum() / (t ** 2).sum(),
    "distance not divided by the target": lambda f, t: ((f - t) ** 2).sum(),
    "distance divided by the target's norm": lambda f, t: ((f - t) ** 2).sum() / t.norm(),
    "distance divided by the number of values": F.mse_loss,
    "distance divided by the current features": lambda f, t: ((f - t) ** 2).sum() / (f ** 2).sum(),
    "mean instead of the sum in the distance": lambda f, t: ((f - t) ** 2).mean() / (t ** 2).sum(),
    "root of the distance": lambda f, t: (f - t).norm() / t.norm(),
    "norm instead of squared norm in the distance": lambda f, t: (f - t).norm(),
    "norm instead of squared norm in the distance ":
        lambda f, t: (f - t).norm() / (t ** 2).sum(),
    "absolute differences in the distance": lambda f, t: (f - t).abs().sum(),
    "absolute differences in the distance ": lambda f, t: (f - t).abs().sum() / (t ** 2).sum(),
    "target left out": lambda f, t: (f ** 2).sum() / (t ** 2).sum(),
    "product instead of the distance": lambda f, t: -(f * t).sum(),
    "product instead of the distance ":
        lambda f, t: 1 - F.cosine_similarity(f.flatten(), t.flatten(), dim=0),
    "distance without effect": lambda f, t: (f.detach() - t).norm() + 0 * f.sum(),
}
SIGNS = {"": 1, "climbed instead of descended": -1}
DIVISORS = {  # of the gradient g, at the picture x
    "": lambda g, x: g.norm(),
    "not divided by the norm": lambda g, x: 1,
    "divided by the picture's norm": lambda g, x: x.norm(),
    "divided by the squared norm": lambda g, x: (g ** 2).sum(),
    "divided by the squared sum": lambda g, x: g.sum() ** 2,
    "divided by the sum": lambda g, x: g.sum(),
    "sign step": lambda g, x: g.abs() + 1e-20,
    "norm over a part of the gradient": lambda g, x: g.norm(dim=(2, 3), keepdim=True),
    "norm over a part of the gradient ": lambda g, x: g.norm(dim=1, keepdim=True),
    "another measure than the norm": lambda g, x: g.abs().max(),
    "another measure than the norm ": lambda g, x: g.std(),
    "another measure than the norm  ": lambda g, x: g.abs().mean(),
}
PRIORS = {  # what of the prior is added
    "": lambda prior, x: prior(x),
    "prior without effect": lambda prior, x: prior(x).item(),
    "prior without effect ": lambda prior, x: prior(x.detach().clone()),
    "prior's sign turned": lambda prior, x: -prior(x),
    "prior twice": lambda prior, x: 2 * prior(x),
    "prior halved": lambda prior, x: 0.5 * prior(x),
    "another prior": lambda prior, x: prior(x) ** 2,
    "another prior ": lambda prior, x: prior(x.clamp(0.25, 0.75)),
}
PLACES = {"": "inside", "prior outside the division": "outside",
          "prior without the learning rate": "apart"}
RATES = {"": lambda rate: rate, "learning rate unused": lambda rate: 1.0,
         "another learning rate": lambda rate: rate / 2}
ENDS = {"": lambda x: x, "clamped": lambda x: x.clamp(0, 1)}


def step_by(energy=ENERGIES[""], sign=1, divisor=DIVISORS[""], part=PRIORS[""], place="inside",
            rate=RATES[""], end=ENDS[""]):
    """inversion_step put together from its factors."""
    def inversion_step(img, model, layer, target, prior, learning_rate):
        x = img.detach().clone().requires_grad_()
        distance = energy(activations(model, x, layer)[layer], target)
        penalty = part(prior, x)
        if place == "inside" or not torch.is_tensor(penalty) or not penalty.requires_grad:
            gradient, pull = torch.autograd.grad(distance + penalty, x)[0], 0
        else:
            gradient, = torch.autograd.grad(distance, x)
            pull, = torch.autograd.grad(penalty, x)
        with torch.no_grad():
            step = sign * rate(learning_rate) * gradient / divisor(gradient, x)
            return end(x - step - (rate(learning_rate) if place == "outside" else 1) * pull)
    return inversion_step


FACTORS = (ENERGIES, SIGNS, DIVISORS, PRIORS, PLACES, RATES, ENDS)


def one_step(names) -> bool:
    """Slips that together are the algebra of fewer, or that no other formula can share a step."""
    names = set(names)
    objectives, parts = ({name.strip() for name in table} - {""} for table in (ENERGIES, PRIORS))
    scales = objectives - {"target left out", "product instead of the distance",
                           "absolute differences in the distance",
                           "distance divided by the current features"}
    alone = {"sign step", "another prior"}
    return bool(
        # what hides how hard the prior pulls, or the rest
        "distance without effect" in names or len(names & alone) > 1
        or names & alone and names & {*objectives, *parts, *PLACES, "clamped"} - alone
        # a clamp is looked for at the rate that is right
        or "clamped" in names and names & {*RATES, "not divided by the norm"}
        # how large the distance is shows only where the prior is divided with it
        or names & scales and names & {"prior without effect", *PLACES}
        # what is not divided has no outside, what is not multiplied none apart
        or {"not divided by the norm", "prior outside the division"} <= names
        or {"learning rate unused", "prior without the learning rate"} <= names
        # the sum has a sign of its own
        or {"divided by the sum", "climbed instead of descended"} <= names
        # without effect, it is nowhere
        or "prior without effect" in names and names & set(PLACES)
        # turned in one part is not turned as a whole
        or "climbed instead of descended" in names
        and names & {"prior's sign turned", *PLACES}
        # half of all, or of the one
        or "not divided by the norm" in names and names & set(RATES))


for names, entries in products(*FACTORS, at_most=1):
    mistake(STEP, *names)(step_by(*entries))
# Two at once, which need no fingerprint: the tests prove that both are said.
COMBINED = [(names, step_by(*entries)) for names, entries in products(*FACTORS, at_most=2)
            if len(names) == 2 and not one_step(names)]


def combined(*names):
    return lambda function: COMBINED.append((names, function))


def constant_beside(constant):
    return step_by(divisor=lambda g, x: g.norm() + constant)


for large in (1e-3, 1e-2, 1.0):
    mistake(STEP, "large constant in the divisor")(constant_beside(large))


@mistake(STEP, "large constant in the divisor")
def length_of_one_at_least(img, model, layer, target, prior, learning_rate):
    return step_by(divisor=lambda g, x: g.norm().clamp(min=1))(
        img, model, layer, target, prior, learning_rate)


@mistake(STEP, "large constant in the divisor")
def constant_under_the_root(img, model, layer, target, prior, learning_rate):
    return step_by(divisor=lambda g, x: (g.square().sum() + 1e-3).sqrt())(
        img, model, layer, target, prior, learning_rate)


@mistake(STEP, "distance without effect")
def target_from_the_picture(img, model, layer, target, prior, learning_rate):
    x = img.detach().clone().requires_grad_()
    features = activations(model, x, layer)[layer]
    target = features.detach()
    (distance_by()(features, target) + prior(x)).backward()
    return (x - learning_rate * x.grad / x.grad.norm()).detach()


@mistake(STEP, "distance without effect")
def features_under_no_grad(img, model, layer, target, prior, learning_rate):
    x = img.detach().clone().requires_grad_()
    with torch.no_grad():
        features = activations(model, x, layer)[layer]
    energy = distance_by()(features, target) + prior(x)
    gradient, = torch.autograd.grad(energy, x)
    return img - learning_rate * gradient / (gradient.norm() + 1e-12)


@mistake(STEP, "distance without effect")
def features_of_the_other_tensor(img, model, layer, target, prior, learning_rate):
    x = img.detach().clone().requires_grad_()
    energy = distance_by()(activations(model, img, layer)[layer], target) + prior(x)
    gradient, = torch.autograd.grad(energy, x)
    return img - learning_rate * gradient / gradient.norm()


@mistake(STEP, "prior without effect")
def prior_forgotten(img, model, layer, target, prior, learning_rate):
    x = img.detach().clone().requires_grad_()
    distance_by()(activations(model, x, layer)[layer], target).backward()
    return img - learning_rate * x.grad / x.grad.norm()


@mistake(STEP, "prior without effect")
def prior_of_the_other_tensor(img, model, layer, target, prior, learning_rate):
    x = img.detach().clone().requires_grad_()
    (distance_by()(activations(model, x, layer)[layer], target) + prior(img)).backward()
    return img - learning_rate * x.grad / x.grad.norm()


@mistake(STEP, "layer not picked")
def dictionary(img, model, layer, target, prior, learning_rate):
    x = img.detach().clone().requires_grad_()
    energy = ((activations(model, x, layer) - target) ** 2).sum() / (target ** 2).sum() + prior(x)
    gradient, = torch.autograd.grad(energy, x)
    return img - learning_rate * gradient / gradient.norm()


@mistake(STEP, "features of another layer")
def layer_before(img, model, layer, target, prior, learning_rate):
    names = [name for name, _ in model.named_modules()]
    return step_by()(img, model, names[names.index(layer) - 1], target, prior, learning_rate)


@mistake(STEP, "features of another layer")
def scores(img, model, layer, target, prior, learning_rate):
    x = img.detach().clone().requires_grad_()
    gradient, = torch.autograd.grad(distance_by()(model(x), target) + prior(x), x)
    return img - learning_rate * gradient / gradient.norm()


@mistake(STEP, "picture returned as it was")
def name_never_returned(img, model, layer, target, prior, learning_rate):
    x = img.detach().clone().requires_grad_()
    (distance_by()(activations(model, x, layer)[layer], target) + prior(x)).backward()
    with torch.no_grad():
        x = x - learning_rate * x.grad / x.grad.norm()
    return img


@mistake(STEP, "input changed")
def in_place(img, model, layer, target, prior, learning_rate):
    img.requires_grad_()
    energy = distance_by()(activations(model, img, layer)[layer], target) + prior(img)
    gradient, = torch.autograd.grad(energy, img)
    with torch.no_grad():
        img -= learning_rate * gradient / gradient.norm()
    return img.detach()


@combined("gradient piles up", "input changed")
def in_place_and_kept(img, model, layer, target, prior, learning_rate):
    img.requires_grad_()
    (distance_by()(activations(model, img, layer)[layer], target) + prior(img)).backward()
    img.data -= learning_rate * img.grad / img.grad.norm()
    model.zero_grad()
    return img


@mistake(STEP, "gradient piles up")
def gradient_left(img, model, layer, target, prior, learning_rate):
    img.requires_grad_()
    (distance_by()(activations(model, img, layer)[layer], target) + prior(img)).backward()
    return img.detach() - learning_rate * img.grad / img.grad.norm()


@mistake(STEP, "something kept between calls")
def momentum(img, model, layer, target, prior, learning_rate):
    step = step_by()(img, model, layer, target, prior, learning_rate) - img
    step = step + 0.5 * getattr(model, "last_step", 0)
    model.last_step = step
    return img + step


@mistake(STEP, "graph kept")
def hangs_on(img, model, layer, target, prior, learning_rate):
    x = img.clone().requires_grad_()
    energy = distance_by()(activations(model, x, layer)[layer], target) + prior(x)
    gradient, = torch.autograd.grad(energy, x)
    return x - learning_rate * gradient / gradient.norm()


@combined("something kept between calls", "input changed")
def target_in_place(img, model, layer, target, prior, learning_rate):
    size = target.norm()
    target /= size
    x = img.detach().clone().requires_grad_()
    features = activations(model, x, layer)[layer]
    gradient, = torch.autograd.grad(((features / size - target) ** 2).sum() + prior(x), x)
    return img - learning_rate * gradient / gradient.norm()


@mistake(STEP, "parameters in another order")
def model_first(model, img, layer, target, prior, learning_rate):
    return step_by()(img, model, layer, target, prior, learning_rate)


@mistake(STEP, "another dtype than img's")
def float_picture(img, model, layer, target, prior, learning_rate):
    return step_by()(img, model, layer, target, prior, learning_rate).float()


@mistake(STEP, "train mode while it runs")
def train_and_back(img, model, layer, target, prior, learning_rate):
    model.train()
    try:
        return step_by()(img, model, layer, target, prior, learning_rate)
    finally:
        model.eval()


@mistake(STEP, "model switched to train mode")
def train_mode(img, model, layer, target, prior, learning_rate):
    new = step_by()(img, model, layer, target, prior, learning_rate)
    model.train()
    return new


@mistake(STEP, "weights' gradients left")
def thawed(img, model, layer, target, prior, learning_rate):
    model.requires_grad_()
    return step_by()(img, model, layer, target, prior, learning_rate)


@mistake(STEP, "hooks left")
def own_hook(img, model, layer, target, prior, learning_rate):
    found = []
    dict(model.named_modules())[layer].register_forward_hook(
        lambda module, inputs, output: found.append(output.clone()))
    x = img.detach().clone().requires_grad_()
    model(x)
    (distance_by()(found[0], target) + prior(x)).backward()
    return (img - learning_rate * x.grad / x.grad.norm()).detach()


# --- inversion_step: right

for small in (1e-6, 1e-8):
    ALTERNATIVES[STEP][f"a constant of {small:g} in the divisor"] = constant_beside(small)


@alternative(STEP, "backward(), a copy, under no_grad, with a note")
def familiar(img, model, layer, target, prior, learning_rate):
    x = img.clone().detach().requires_grad_(True)
    features = activations(model, x, layer)[layer]
    energy = ((features - target) ** 2).sum() / (target ** 2).sum() + prior(x)
    energy.backward()
    with torch.no_grad():
        return x - learning_rate * x.grad / x.grad.norm()


@alternative(STEP, "a small number in the divisor, both gradients by themselves")
def two_gradients(img, model, layer, target, prior, learning_rate):
    x = img.detach().requires_grad_()
    distance = distance_by()(activations(model, x, [layer])[layer], target)
    gradient = torch.autograd.grad(distance, x)[0] + torch.autograd.grad(prior(x), x)[0]
    return (img - learning_rate * gradient / (gradient.norm() + 1e-12)).detach()


@alternative(STEP, "img itself asked, and its gradient cleared, with a note")
def itself_asked(img, model, layer, target, prior, learning_rate):
    img.requires_grad_()
    img.grad = None
    (distance_by()(activations(model, img, layer)[layer], target) + prior(img)).backward()
    new = img.data - learning_rate * img.grad / torch.norm(img.grad)
    img.grad = None
    img.requires_grad_(False)
    return new


@alternative(STEP, "a hook of one's own, removed, with a note")
def with_hook(img, model, layer, target, prior, learning_rate):
    found = []

    def hook(module, inputs, output):
        found.append(output.clone())
    handle = model.get_submodule(layer).register_forward_hook(hook)
    x = img.detach().clone().requires_grad_()
    try:
        model(x)
    finally:
        handle.remove()
    gradient, = torch.autograd.grad(distance_by()(found[0], target) + prior(x), x)
    return img - learning_rate * F.normalize(gradient.flatten(), dim=0, eps=0).view_as(img)


@alternative(STEP, "an optimiser, NumPy, prints")
def optimiser(img, model, layer, target, prior, learning_rate):
    x = torch.nn.Parameter(img.detach().clone())
    sgd = torch.optim.SGD([x], lr=learning_rate)
    energy = distance_by()(activations(model, x, layer)[layer], target) + prior(x)
    energy.backward()
    print(f"energy {energy.item():.3f}")
    x.grad /= max(float(np.linalg.norm(x.grad.cpu().numpy())), 1e-30)
    sgd.step()
    return x.detach()


@alternative(STEP, "climbed with a minus in front")
def climbed(img, model, layer, target, prior, learning_rate):
    x = img.detach().clone().requires_grad_()
    score = -distance_by()(activations(model, x, layer)[layer], target) - prior(x)
    gradient, = torch.autograd.grad(score, x)
    size = gradient.square().sum().sqrt()
    return img + (learning_rate * gradient / size if size > 0 else 0)


@alternative(STEP, "a leaf that asks for its gradient comes back, with a note")
def next_leaf(img, model, layer, target, prior, learning_rate):
    return familiar(img, model, layer, target, prior, learning_rate).requires_grad_()


@alternative(STEP, "other parameter names, with a note")
def renamed(image, net, where, wanted, regulariser, lr):
    return step_by()(image, net, where, wanted, regulariser, lr)


ALTERNATIVES[STEP]["a partial of a general function, with a note"] = partial(
    lambda energy, *given: step_by(energy)(*given), ENERGIES[""])
