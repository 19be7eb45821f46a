"""The check of `make_fooling_image`: what is tried, and what is said about known mistakes."""

import re

import torch

from ..ascent import DIVISORS
from ..exercise import Case, Exercise, Trap
from ..fixtures import picture, tiny_weights
from ..inputs import Network, live
from ..path import recorded
from .reading import LIMIT, Walk, slips


def walked(function, X, target_y, model):
    """The result, and the path to it. A loop without an end has no result."""
    result = None
    with recorded(model) as record:
        result = function(X, target_y, model)
    path = record.path(result)
    return {"path": path} if result is None and not path.ended else {"result": result, "path": path}


def overwritten(function, X, target_y, model):
    """X is written over once the function is done: a picture of its own does not mind."""
    kept, result = X.detach().clone(), None
    with recorded(model):
        result = function(X, target_y, model)
    with torch.no_grad():
        X.detach().add_(1)
        result = result.clone() if torch.is_tensor(result) else result
        X.detach().copy_(kept)
    return {"result": result}


def kind_of_result(function, X, target_y, model):
    """The result's shape and dtype alone, for long ways end anywhere. Of a loop without an end, X
    stands for the result."""
    result = walked(function, X, target_y, model).get("result", X)
    return {"result": torch.zeros_like(result) if torch.is_tensor(result) else result}


def given_up(function, X, target_y, model):
    """That a picture comes back at all, and the path."""
    outputs = walked(function, X, target_y, model)
    result = outputs.get("result", X)
    return {"picture": torch.zeros_like(result) if torch.is_tensor(result) else result,
            "path": outputs["path"]}


def network(numbers, seed, sharpness, guarded=False):
    """Five classes; how sharp its scores are changes no class, and no direction."""
    weights = tiny_weights(numbers, seed, classes=5)
    for name in ("head.weight", "head.bias"):
        weights[name] *= sharpness
    return Network("tiny", weights, guarded)


def solvable(height, width, seed, target, sharpness, guarded=False):
    """A picture, and a class that another one beats by some steps."""
    return lambda numbers: {"X": picture(numbers, 1, height, width, seed), "target_y": target,
                            "model": network(numbers, seed, sharpness, guarded)}


def fooled_already(numbers):
    X, model = picture(numbers, 1, 5, 7, 305), network(numbers, 305, 1)
    winner = live(model, "cpu", torch.float64)(X).argmax().item()
    return {"X": X, "target_y": winner, "model": model}


def out_of_reach(numbers):
    model = network(numbers, 306, 1 / 2)
    model.weights["head.bias"][2] -= 4000  # no picture makes up for this
    return {"X": picture(numbers, 1, 6, 5, 306), "target_y": 2, "model": model}


ONE, OTHER = "a small network", "one with dropout and batch norm"
FOOLED, UNREACHABLE = "a picture that fools already", "a class out of reach"


def walks_of(observed, inputs, *cases):
    return [Walk(inputs[case], observed.outcomes[case].outputs) for case in cases]


def recognise(observed, inputs):
    return slips(walks_of(observed, inputs, ONE, OTHER), *walks_of(observed, inputs, FOOLED))


def conventions(observed, inputs):
    """When it is tested, if that shows on a picture that fools already; and where it gives up."""
    fooled, far = walks_of(observed, inputs, FOOLED, UNREACHABLE)
    found = {}
    if fooled.moves == 1 and fooled.strides_of_one():
        found["tested after the step"] = (FOOLED,)
    if far.moves and not far.path.ended:
        found["no limit"] = ()
    elif far.moves not in (0, LIMIT) and far.strides_of_one():  # else it also looks elsewhere
        found["another limit"] = ()
    return found


FOOLING = Exercise(
    name="make_fooling_image", notebook="04_fooling_images",
    parameters=("X", "target_y", "model"), recognise=recognise, conventions=conventions,
    cases=(
        Case(ONE, solvable(6, 9, 336, target=0, sharpness=1 / 8), walked),
        Case(OTHER, solvable(8, 5, 1472, target=3, sharpness=1, guarded=True), walked),
        Case(FOOLED, fooled_already, walked),
        Case(UNREACHABLE, out_of_reach, given_up),
    ),
    traps=(
        Trap("X itself returned", FOOLED, call=overwritten,
             unless=("input changed", "goes on when the network is fooled")),
        # In float64 a loop may take another way; what counts here is the kind of the result.
        Trap("another dtype than X's", ONE, dtype=torch.float64, call=kind_of_result,
             expect=torch.zeros_like),
    ),
    mistakes={
        "parameters in another order":
            "The parameters stand in another order than in the notebook: "
            "make_fooling_image(X, target_y, model).",
        "the given network never asked":
            "The network that your function was given is never asked. Use its argument model, "
            "and not a network from another cell.",
        "starts from another picture":
            "The first picture that the network sees is not X. Start from a copy of it, "
            "X.clone().",
        "the original returned":
            "The steps are taken, but what comes back is X as it was. Return the picture that "
            "moved.",
        "the change returned":
            "What comes back is the change alone. Return the changed picture, X plus that.",
        "changed at the end":
            "The picture that comes back is not the one that fooled the network: it was clamped, "
            "rounded or rescaled at the end. Return it as it is; it is clamped when it is shown.",
        "score descended":
            "The steps go downhill: the target's score falls. Its gradient points to where it "
            "rises, so add the step.",
        "loss climbed":
            "The steps make the target less likely: a loss was climbed. Take the gradient of the "
            "target's raw score, scores[0, target_y], and add it.",
        "loss or probability instead of the score":
            "The steps follow the cross-entropy loss, or the probability: both point the same "
            "way, which also pushes the other classes down. Take the gradient of the target's raw "
            "score alone, scores[0, target_y], before any softmax or loss.",
        "loss of the softmax":
            "This is the loss of probabilities, a softmax of a softmax. Take the gradient of the "
            "target's raw score, scores[0, target_y].",
        "difference of two scores":
            "The steps follow the target's score minus the best one. A good idea, and another "
            "method: here, the target's raw score alone, scores[0, target_y], is climbed.",
        "present class pushed down":
            "The steps push the predicted class down, so any other may win. Pull the target up: "
            "take the gradient of scores[0, target_y].",
        "predicted class instead of the target":
            "The steps make the predicted class stronger still. Take the gradient of "
            "scores[0, target_y].",
        "all scores together":
            "This is the gradient of all the scores together. Pick the target's, "
            "scores[0, target_y].",
        "score of another class":
            "The steps climb the score of another class. Pick the target's, scores[0, target_y].",
        "sign step":
            "Every value moves by the same amount: the gradient was divided by its own absolute "
            "value, or its sign was taken. Divide all of it by one number, its L2 norm "
            "g.norm().",
        "not divided by the norm":
            "The gradient is not divided by its L2 norm, so a step is long or short as the "
            "network happens to be. Add learning_rate * g / g.norm().",
        **DIVISORS,
        "norm over a part of the gradient":
            "The norm is taken over some axes only, so colours, rows or pixels are each scaled by "
            "a number of their own. Take one norm of the whole gradient, g.norm(): that "
            "is what keeps its direction.",
        "another measure than the norm":
            "The direction is right, but the step is not as long as it should be: the gradient is "
            "divided by another measure of its size. Divide by its L2 norm, g.norm().",
        "another learning rate":
            "The steps are right but for their length. The learning rate is 1, so each step has "
            "length 1.",
        "clamped":
            "The picture is clamped to [0, 1] on its way. Leave it as it is here; it is clamped "
            "when it is shown.",
        "gradient piles up":
            "The second step still contains the first step's gradient: backward() adds to what is "
            "in .grad. Clear it after each step (X_fooling.grad = None, or X_fooling.grad.zero_() "
            "with its brackets; model.zero_grad() clears the network's only), or use "
            "torch.autograd.grad.",
        "gradient taken once":
            "The second step goes the way of the first. Take the gradient anew in each step, "
            "where the picture is by then.",
        "steps of changing length":
            "The first step is as long as it should be, and the next one is not. Every step has "
            "length 1, the learning rate.",
        "stops before the network is fooled":
            "The loop ends before the network says the target. Go on until "
            "scores.argmax() == target_y, for 100 steps at most.",
        "one step too many":
            "The network is fooled, and still one more step is taken: the prediction that is "
            "tested comes from before the step. Test first, and stop; then take the step.",
        "goes on when the network is fooled":
            "The network says the target already, and the steps go on. In each round first ask "
            "whether scores.argmax() == target_y, and stop if so.",
        "never ends":
            "The network was asked 1,500 times, and we stopped the loop there. Give it a limit: "
            "for step in range(100).",
        "train mode while it runs":
            "The network ran in train mode, where dropout and batch norm change the scores. Leave "
            "its mode alone.",
        "X itself returned":
            "Where the network is fooled already, X itself comes back, so what is done to the one "
            "happens to the other. Return a picture of its own: start from X.clone().",
        "another dtype than X's":
            "With float64 pictures the result should be float64: use the dtype of X, and make no "
            "float32 tensors of your own.",
    },
    notes={
        "tested after the step":
            "a picture that fools the network already is moved by one step, since the test comes "
            "after the step. With the test first it comes back unchanged.",
        "no limit":
            "there is no limit to the steps, so a class out of reach keeps the loop running for "
            "ever; we stopped it. The notebook takes 100 steps at most.",
        "another limit":
            "a class out of reach is given up after another number of steps than the notebook's "
            "100.",
    },
    errors={
        "another dtype than X's": re.compile(r"same dtype|[Dd]ouble.*[Ff]loat|[Ff]loat.*[Dd]ouble"),
    },
    row={
        "signature": "make_fooling_image(X, target_y, model)",
        "shapes": "X (1, 3, H, W), target_y a class index → (1, 3, H, W)",
        "gives": "a new tensor, like X in dtype and device, equal to X where the network says "
                 "target_y already; X and the network stay as they were",
        "formula": "while argmax S(X) ≠ target_y: X ← X + g / ‖g‖₂, g = ∂S_target_y(X)/∂X, S the "
                   "raw scores; tested before each step, nothing clamped",
        "defaults": "learning rate 1, at most 100 steps",
        "units": "X in [0, 1], and so is a step of length 1",
    })
