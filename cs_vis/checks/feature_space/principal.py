"""The check of `pca`: what is tried, and what is said about known mistakes.

The sign of a component is an accident of the SVD, so values are compared without it: each row of
components, and each column of points, is turned by its largest entry first. The sign is a trap.
"""

import re

import torch

from ..exercise import Case, Exercise, Trap
from .reading import NOTES, dtype_traps, in_dtype, ones_if_kept

# The three things that come back, as a sentence calls them.
POINTS, COMPONENTS, VARIANCES = "table of points", "table of components", "list of variances"


def taken_apart(function, features, k):
    seed(0, features)  # what a random SVD gives is the same in every check
    points, components, variances = function(features, k)
    points, components, variances = (in_dtype(x, features) for x in (points, components, variances))
    return {COMPONENTS: turned(components), POINTS: turned(points, dim=0), VARIANCES: variances,
            "by the rule": by_the_rule(components, features, k),
            "agree": agree(points, components, features, k)}


def seed(number, features):
    """The random numbers that a function draws on the device of features."""
    (torch.cuda if features.is_cuda else torch.default_generator).manual_seed(number)


def turned(values, dim=1):
    """Each row, or with dim=0 each column, times its sign: its largest entry becomes positive."""
    if not torch.is_tensor(values) or values.ndim != 2 or values.numel() == 0:
        return values
    return values * sign_of(values, dim)


def sign_of(values, dim=1):
    return values.gather(dim, values.abs().argmax(dim=dim, keepdim=True)).sign()


def by_the_rule(components, features, k) -> bool:
    """Is no component's largest entry negative? None is where they are of another shape."""
    return not (has_shape(components, k, features.shape[1]) and (sign_of(components) < 0).any())


def agree(points, components, features, k) -> bool:
    """Do no points shrink where they should grow along the components beside them?"""
    if not has_shape(points, len(features), k) or not has_shape(components, k, features.shape[1]):
        return True
    along = (features - features.mean(dim=0)) @ components.to(features).T
    likeness = torch.cosine_similarity(along, points - points.mean(dim=0), dim=0)
    return not (likeness < -0.9).any()


def has_shape(values, *shape) -> bool:
    return torch.is_tensor(values) and values.shape == shape


def ones_if_by_the_rule(function, features, k):
    components = in_dtype(function(features, k)[1], features)
    return {COMPONENTS: torch.full_like(components, by_the_rule(components, features, k))}


def ones_if_they_agree(function, features, k):
    points, components, _ = (in_dtype(x, features) for x in function(features, k))
    return {POINTS: torch.full_like(points, agree(points, components, features, k))}


def ones_if_dtype_kept(function, features, k):
    points, components, variances = function(features, k)
    return ones_if_kept({COMPONENTS: components, POINTS: points, VARIANCES: variances}, features)


def same_each_time(function, features, k):
    """Ones if it gives the same with other random numbers, else zeros."""
    runs = []
    for number in range(3):
        seed(number, features)
        components = function(features.clone(), k)[1]  # a clone: it may write into them
        runs.append(turned(in_dtype(components, features)))
    apart = max((runs[0] - run).abs().max() for run in runs[1:])
    return {COMPONENTS: torch.full_like(runs[0], not apart > 1e-4)}


def null_directions(observed, inputs):
    """Where there are more columns than rows, directions in which nothing varies: eigh's first."""
    outcome = observed.outcomes.get(WIDE)
    variances = outcome and outcome.outputs.get(VARIANCES)
    if not has_shape(variances, inputs[WIDE]["k"]):
        return ()
    nothing = variances.abs().max() < 1e-5 * inputs[WIDE]["features"].var(dim=0).sum()
    return ("smallest first",) if nothing else ()


def cloud(rows, columns, k, seed, offset=2.0):
    """Points that spread differently in each direction, away from 0, of different lengths."""
    def inputs(numbers):
        scale = 0.5 + 1.5 * torch.arange(columns) / columns
        drawn = (numbers(rows, columns, seed=seed) - 0.5) * scale
        middle = offset * (numbers(columns, seed=seed + 1) - 0.25)
        return {"features": drawn + middle, "k": k}
    return inputs


FIRST, WIDE = "more rows than columns", "more columns than rows"
SIGN = "component turned otherwise"
AGREE = "points turned otherwise"
RANDOM = "random directions"
PCA = Exercise(
    name="pca", notebook="02_feature_space", parameters=("features", "k"),
    recognise=null_directions,
    cases=(
        Case(FIRST, cloud(9, 5, 3, 320), taken_apart),
        Case(WIDE, cloud(6, 11, 4, 325), taken_apart),
        Case("one direction", cloud(8, 4, 1, 303), taken_apart),
        Case("all directions", cloud(11, 3, 3, 397), taken_apart),
    ),
    traps=(
        Trap(RANDOM, FIRST, call=same_each_time, expect=torch.ones_like),
        *(Trap(SIGN, case, call=ones_if_by_the_rule, expect=torch.ones_like, unless=(RANDOM,))
          for case in (FIRST, WIDE)),
        *(Trap(AGREE, case, call=ones_if_they_agree, expect=torch.ones_like,
               unless=(RANDOM, "reconstruction instead of points"))
          for case in (FIRST, WIDE)),
        *dtype_traps((FIRST, WIDE), ones_if_dtype_kept),
    ),
    notes=NOTES,
    mistakes={
        "parameters in another order":
            "The parameters stand in another order than in the notebook: pca(features, k).",
        "not three things":
            "pca returns three things: return points, components, variances.",
        "another order of the three":
            "The three things come back in another order: return points, components, variances.",
        "not centred":
            "The features were not centred. Subtract the mean of each column, "
            "features.mean(dim=0), before the SVD.",
        "centred by rows":
            "The mean of each row was subtracted. Subtract that of each column, "
            "features.mean(dim=0): the mean picture.",
        "centred by one number":
            "One mean of all values was subtracted. Each column has its own: features.mean(dim=0).",
        "divided by one number":
            "The features were divided by one number, such as the standard deviation of all. Only "
            "subtract the mean.",
        "columns standardised":
            "The columns were divided by their standard deviations. Only subtract the mean: what "
            "varies more counts more.",
        "rows normalised":
            "The rows were divided by their lengths. Take the features as they are.",
        "components as columns":
            "The components stand in columns. Each is a row of (k, D): of U, S, Vt the first k "
            "rows of Vt.",
        "rows of V":
            "These are the first rows of V, and the components are its columns. torch.svd returns "
            "V, torch.linalg.svd its transpose: there take Vt[:k]. eigh returns them in "
            "columns, too.",
        "columns of U":
            "These are columns of U, one number for each picture. The components are the first "
            "rows of Vt, one number for each column of features.",
        "smallest first":
            "These are the directions of the smallest variance. Take the largest: eigh returns "
            "them last, svd first.",
        "largest last":
            "The right components in the opposite order: the largest variance comes first.",
        "components scaled":
            "The components do not have length 1. Take the rows of Vt as they are.",
        "all directions returned": "More than k directions come back. Cut all three to k.",
        SIGN:
            "The sign of the components is what the SVD happened to give, or follows another rule. "
            "Turn each, times -1, so that its entry of largest absolute value is positive; no sum, "
            "no first entry and no point decides.",
        AGREE:
            "Points and components do not have the same sign: where a component is turned, its "
            "column of points must be, too. centred @ components.T, with the turned components, "
            "does it.",
        "points without singular values":
            "The points are the columns of U, all of one length. Multiply each by its singular "
            "value, or take centred @ components.T.",
        "points divided by their spread":
            "The points were divided by their standard deviations. Take centred @ components.T.",
        "points stretched":
            "The points are multiplied by their singular values once more. Take centred @ "
            "components.T.",
        "points not centred":
            "The points are those of the features before their mean was subtracted. Take centred @ "
            "components.T.",
        "points as columns":
            "The points stand in columns. Each is a row of (N, k): centred @ components.T.",
        "reconstruction instead of points":
            "The features as the components give them back come back. The points have k columns: "
            "centred @ components.T.",
        "variances divided by N":
            "The variances are divided by N. Divide the squares of the singular values by N - 1, "
            "as Tensor.var does.",
        "variances not divided":
            "The squares of the singular values come back. Divide them by N - 1.",
        "variances divided by another number":
            "The squares of the singular values are divided by another number than N - 1, N the "
            "number of rows.",
        "singular values not squared":
            "The singular values are not squared: the variances are S ** 2 / (N - 1).",
        "standard deviations":
            "These are standard deviations, the roots of the variances S ** 2 / (N - 1).",
        "shares instead of variances":
            "The variances are divided by their sum. Return S ** 2 / (N - 1) itself; the notebook "
            "makes shares of it.",
        "variances added up":
            "The variances are added up one after the other. Return each by itself.",
        "variances of the columns":
            "These are variances of columns of features. Return those along the components, "
            "S ** 2 / (N - 1).",
        RANDOM:
            "The directions change with the random numbers: pca_lowrank with few directions only "
            "comes near. Take torch.linalg.svd(centred, full_matrices=False).",
    },
    errors={
        "not three things": re.compile(r"unpack"),
    },
    row={
        "signature": "pca(features, k)",
        "shapes": "features (N, D), k at most D and N - 1 → points (N, k), components (k, D), "
                  "variances (k,)",
        "gives": "three new tensors; features stay as they were",
        "formula": "features less the mean of each column = U S Vᵀ; components the first k rows of "
                   "Vᵀ, each turned so that its entry of largest absolute value is positive; "
                   "points the centred rows times components.T; variances S² / (N − 1)",
        "defaults": "none",
        "units": "variances in those of features, squared",
    })
