"""The check of `inversion_step`: what is tried, and what is said of mistakes."""

import re

import torch

from ...models import activations
from ..ascent import NORMS
from ..distance import comparable, relative_l2
from ..exercise import Case, Exercise, Trap
from ..fixtures import picture, tiny_weights
from ..inputs import Network, live
from ..moves import CALLS, slips
from .measuring import CONSTANT
from .reading import KNOWN, by_the_prior_alone, divided_by_more, moves_of, prior_of

def stepped(function, img, model, layer, target, pull, toward, weight, learning_rate, calls=1):
    """The picture after each call, each of the one before, and whether all are free of graphs."""
    prior, outputs, kept = prior_of(pull, toward, weight), {}, False
    for name in CALLS[:calls]:
        outputs[name] = returned = function(img, model, layer, target, prior, learning_rate)
        if not torch.is_tensor(returned) or returned.shape != img.shape:
            return outputs
        kept = kept or returned.grad_fn is not None
        img = returned.detach() if kept else returned
        outputs[name] = img.detach().clone()  # as it is now
    return {**outputs, "no graph": torch.tensor(not kept, device=img.device)}


def again(function, target, **given):
    """A second call on the very same picture, after one with another target."""
    stepped(function, target=target.flip(1), **given)
    return stepped(function, target=target, **given)


def drawn_step(numbers, height, width, seed, layer, weights, weight, learning_rate):
    """A picture, and the features of another one; a prior with weights and values of its own."""
    model = Network("tiny", weights)
    other = picture(numbers, 1, height, width, seed + 10)
    with torch.no_grad():
        target = activations(live(model, "cpu", torch.float64), other, layer)[layer]
    return {"img": picture(numbers, 1, height, width, seed), "model": model, "layer": layer,
            "target": target, "pull": 0.25 + picture(numbers, 1, height, width, seed + 20),
            "toward": picture(numbers, 1, height, width, seed + 30), "weight": weight,
            "learning_rate": learning_rate}


def small(height, width, seed, layer, weight, learning_rate, sharpness=1.0, **calls):
    """A network of five classes; sharpness makes its scores, and its features, larger."""
    def inputs(numbers):
        weights = {name: values if name == "mean_color" else sharpness * values
                   for name, values in tiny_weights(numbers, seed, classes=5).items()}
        return {**drawn_step(numbers, height, width, seed, layer, weights, weight, learning_rate),
                **calls}
    return inputs


def blind(numbers):
    """A layer that sees nothing, and no prior: the gradient is 0."""
    given = small(3, 5, 75, "conv1", 0.0, 2.0)(numbers)
    weights = {**given["model"].weights, "conv1.weight": torch.zeros(6, 3, 3, 3).double()}
    return {**given, "model": Network("tiny", weights)}


def specimen(numbers):
    """A corner of a noise picture, and a layer of the trained network."""
    layer, model = "relu2_2", Network("specimens")
    img, other = (picture(numbers, 1, 48, 64, seed) for seed in (7, 8))
    with torch.no_grad():
        target = activations(live(model, "cpu", torch.float64), other, layer)[layer]
    return {"img": img, "model": model, "layer": layer, "target": target,
            "pull": picture(numbers, 1, 48, 64, 9), "toward": picture(numbers, 1, 48, 64, 10),
            "weight": 2 ** -12, "learning_rate": 25.0}


def guarded(inputs):
    return {**inputs, "model": inputs["model"]._replace(guarded=True)}


def conventions(observed, inputs):
    """Is 0 divided by 0 where the gradient is 0?"""
    result = observed.outcomes[BLIND].outputs.get("picture") if BLIND in observed.outcomes else None
    return {"0 over 0": (BLIND,)} if torch.is_tensor(result) and result.isnan().all() else {}


def recognise(observed, inputs):
    """Whether the pictures moved at all, what the moves show, and whether a graph was kept."""
    outcomes = {name: outcome for name, outcome in observed.outcomes.items() if name in TINY}
    pictures = {name: [outcome.outputs[call] for call in CALLS if call in outcome.outputs]
                for name, outcome in outcomes.items()}
    if any(outcome.problem for outcome in outcomes.values()) or not all(
            torch.is_tensor(x) for found in pictures.values() for x in found):
        return ()
    starts = {name: inputs[name]["img"] for name in TINY}
    if all(torch.equal(comparable(pictures[name][0]), starts[name]) for name in TINY):
        return ("picture returned as it was",)
    walks = {name: moves_of(inputs[name], pictures[name]) for name in TINY}
    if walks[PULLED] and by_the_prior_alone(walks[PULLED][0]):
        names = ("distance without effect",)
    elif divided_by_more([move for walk in walks.values() for move in walk]):
        names = (CONSTANT,)
    else:
        names = slips(list(walks.values()), KNOWN)
    free = all(outcome.outputs.get("no graph", True) for outcome in outcomes.values())
    return names if free else (*names, "graph kept")


FREE, SHARP = "no prior", "stronger features"
PULLED, CHAIN = "a prior", "three steps in a row"
BLIND = "a layer that sees nothing"
TINY = (FREE, SHARP, PULLED, CHAIN)
STEP = Exercise(
    name="inversion_step", notebook="06_feature_inversion",
    parameters=("img", "model", "layer", "target", "prior", "learning_rate"), recognise=recognise,
    conventions=conventions,
    cases=(
        Case(FREE, small(6, 4, 171, "relu", 0.0, 5.0), stepped),
        Case(SHARP, small(4, 7, 195, "head", 0.0, 3.0, sharpness=2.0), stepped),
        Case(PULLED, small(5, 8, 163, "pool", 0.0625, 2.0, sharpness=1.5), stepped),
        Case(CHAIN, small(6, 9, 134, "conv2", 0.03125, 1.5, calls=3), stepped),
        Case("weak features", small(5, 6, 86, "head", 0.0, 8.0, sharpness=0.5), stepped),
        Case(BLIND, blind, stepped),
        Case("a specimen network", specimen, stepped, tolerance=1e-2, distance=relative_l2,
             tiny=False),
    ),
    traps=(
        Trap("gradient piles up", PULLED, call=again,
             unless=("input changed", "something kept between calls")),
        Trap("another dtype than img's", PULLED, dtype=torch.float64),
        Trap("train mode while it runs", PULLED, guarded, unless=("model switched to train mode",)),
    ),
    mistakes={
        "parameters in another order":
            "The parameters stand in another order than in the notebook: "
            "inversion_step(img, model, layer, target, prior, learning_rate).",
        "picture returned as it was":
            "The picture comes back as it was. Return a new one: "
            "img - learning_rate * g / g.norm().",
        "layer not picked":
            "activations returns a dict, layer name -> features. Ask it for the one that you want: "
            "activations(model, img, layer)[layer].",
        "features of another layer":
            "The features are not as large as the target, so they are another layer's, or the "
            "scores: take those of the layer that is asked for, activations(model, img, layer)"
            "[layer].",
        "distance without effect":
            "What the layer computes makes no difference. Either the features have no way back to "
            "the picture (.detach(), .data, no_grad, or a pass of another tensor than the one "
            "whose gradient you take), or the target is taken from the picture itself, and the "
            "distance is always 0. The target comes ready: use it as it is.",
        "climbed instead of descended":
            "The step goes up, and should go down: the distance grows. The gradient points to "
            "where it grows, so subtract the step.",
        "distance not divided by the target":
            "Without a prior we know your step, with one the prior counts too little or too much: "
            "the distance is not divided by ‖φ₀‖², the target's squares. Call your "
            "feature_distance, and look whether it passes its check.",
        "distance divided by the target's norm":
            "The distance is divided by the target's norm, which should be squared. Call your "
            "feature_distance, and look whether it passes its check.",
        "distance divided by the number of values":
            "The distance is a mean of squares. It should be their sum, divided by the target's "
            "squares: call your feature_distance, and look whether it passes its check.",
        "distance divided by the current features":
            "The distance is divided by the current features' squares, and should be by the "
            "target's. Hand them over in this order: feature_distance(features, target).",
        "mean instead of the sum in the distance":
            "The distance has a mean above and a sum below. Call your feature_distance, and look "
            "whether it passes its check.",
        "root of the distance":
            "The step follows the root of the distance. Call your feature_distance, and look "
            "whether it passes its check: squares above and below.",
        "norm instead of squared norm in the distance":
            "The step follows the norm of the difference, and not its square. Call your "
            "feature_distance, and look whether it passes its check.",
        "absolute differences in the distance":
            "The step follows the sum of absolute differences, and not of squares. Call your "
            "feature_distance, and look whether it passes its check.",
        "target left out":
            "The step makes the features small, whatever the target is. Descend their distance "
            "from it, feature_distance(features, target).",
        "product instead of the distance":
            "The step follows the product of features and target, or their angle. Descend their "
            "distance, feature_distance(features, target).",
        "not divided by the norm":
            "Your step is not divided by the gradient's length. Divide by it, and a step is as "
            "long as learning_rate says for every layer: learning_rate * g / g.norm().",
        **NORMS,
        CONSTANT:
            "The gradient is divided by more than its length: a constant is added to it, or the "
            "least that it may be, and so large that steps are too short where it is weak. "
            "1e-8 is enough against 0 / 0.",
        "learning rate unused":
            "The step has the same length whatever learning_rate is. Multiply by learning_rate "
            "after the division; before it, the division takes it away again.",
        "another learning rate":
            "The step is right but for its length: it should be learning_rate once, "
            "learning_rate * g / g.norm().",
        "clamped":
            "The picture is clamped. The step leaves it as it is; the notebook clamps it "
            "elsewhere.",
        "prior without effect":
            "The prior makes no difference. Either it is not part of what you differentiate, or "
            "it was cut off (.item(), .detach(), a copy of the picture). Add prior(x) to the "
            "distance, x being the tensor whose gradient you take.",
        "prior's sign turned":
            "The prior is subtracted, so the step makes it larger. Add it: distance + prior(x), "
            "and go down.",
        "prior twice":
            "The prior counts twice as much against the distance as it should. Either it was added "
            "twice, or the distance was halved.",
        "prior halved":
            "The prior counts half as much against the distance as it should. Either it was "
            "halved, or the distance was doubled.",
        "prior outside the division":
            "The prior's part comes after the division, so it is not divided with the rest. Let g "
            "be the gradient of distance + prior, and divide all of it: g / g.norm().",
        "prior without the learning rate":
            "The prior's part is taken off apart from the step, and not multiplied by "
            "learning_rate. Let g be the gradient of distance + prior, and take one step: "
            "learning_rate * g / g.norm().",
        "another prior":
            "Without a prior we know your step, with one we do not: what is added is not "
            "prior(img). Descend feature_distance(features, target) + prior(x).",
        "gradient piles up":
            "A second call still contains the first one's gradient: backward() adds to what is in "
            ".grad. Work on a copy, img.detach().clone().requires_grad_(), or use "
            "torch.autograd.grad.",
        "something kept between calls":
            "The second call does something else than the first: something was kept. Each call "
            "takes one gradient, where img is by then, and forgets it.",
        "graph kept":
            "What you return still hangs on the graph by which it was computed, so memory grows "
            "with every step. Take the step under torch.no_grad(), or from img.detach().",
        "another dtype than img's":
            "With a float64 picture the result should be float64: make no float32 tensors of your "
            "own.",
        "train mode while it runs":
            "The network ran in train mode, where dropout and batch norm change what layers "
            "compute. Leave its mode alone.",
    },
    errors={
        "layer not picked": re.compile(r"'dict'|dict object"),
        "features of another layer": re.compile(r"must match the size of tensor"),
        "another dtype than img's": re.compile(
            r"same dtype|[Dd]ouble.*[Ff]loat|[Ff]loat.*[Dd]ouble"),
    },
    notes={
        "0 over 0":
            "where the gradient is 0 your step gives NaN, 0 / 0. A layer may see nothing in a "
            "picture; with g.norm() + 1e-12 below, the picture stays as it is.",
    },
    row={
        "signature": "inversion_step(img, model, layer, target, prior, learning_rate)",
        "shapes": "img (1, 3, H, W), layer a name, target what it gives of one picture, prior a "
                  "function from a picture to a number, learning_rate a number → (1, 3, H, W)",
        "gives": "a new tensor without a graph; img, target and the network stay as they were",
        "formula": "img − learning_rate · g / ‖g‖₂, g = ∂(‖φ(img) − target‖² / ‖target‖² + "
                   "prior(img))/∂img, φ(img) = activations(model, img, layer)[layer]; nothing "
                   "clamped",
        "defaults": "none",
        "units": "those of img; a step is learning_rate long; a constant up to 1e-6 in the divisor "
                 "is right",
    })
