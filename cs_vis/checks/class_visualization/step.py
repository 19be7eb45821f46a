"""The check of `class_visualization_update_step`: what is tried, and what is said of mistakes."""

import re

import torch

from ..ascent import NORMS
from ..distance import comparable, relative_l2
from ..exercise import Case, Exercise, Trap
from ..fixtures import picture, tiny_weights
from ..inputs import Network
from ..moves import CALLS, slips
from .reading import KNOWN, moves_of


def stepped(function, img, model, target_y, l2_reg, learning_rate, calls=1):
    """The picture itself after each call; where it stayed, what was returned goes on instead."""
    leaf, outputs = img.detach().clone().requires_grad_(), {}
    for name in CALLS[:calls]:
        before = leaf.detach().clone()
        returned = function(leaf, model, target_y, l2_reg, learning_rate)
        outputs[name] = leaf.detach().clone()
        if torch.is_tensor(returned) and torch.equal(before, leaf) and (
                returned.shape == leaf.shape and not torch.equal(before, returned)):
            outputs[f"returned {name}"] = returned.detach().clone()
            leaf = returned.detach().clone().requires_grad_()
    return outputs


def small(height, width, seed, target, sharpness, l2_reg, learning_rate, guarded=False, **calls):
    """A picture around 0 and a network of five classes; sharpness makes its gradient longer."""
    def inputs(numbers):
        weights = tiny_weights(numbers, seed, classes=5)
        for name in ("head.weight", "head.bias"):
            weights[name] *= sharpness
        return {"img": 2 * picture(numbers, 1, height, width, seed) - 1,
                "model": Network("tiny", weights, guarded), "target_y": target, "l2_reg": l2_reg,
                "learning_rate": learning_rate, **calls}
    return inputs


def specimen(numbers):
    """A corner of a noise picture, and the trained network."""
    return {"img": (2 * picture(numbers, 1, 48, 64, 7) - 1) / 2, "model": Network("specimens"),
            "target_y": 3, "l2_reg": 1e-2, "learning_rate": 25.0}


def guarded(inputs):
    return {**inputs, "model": inputs["model"]._replace(guarded=True)}


def recognise(observed, inputs):
    """Whether img moved at all, then what the moves show."""
    outcomes = {name: outcome for name, outcome in observed.outcomes.items() if name in TINY}
    if any(outcome.problem for outcome in outcomes.values()):
        return ()
    first = outcomes[FREE].outputs
    if "returned picture" in first:
        return ("new picture returned", *slips_of(outcomes, inputs))
    still = all(torch.equal(comparable(outcome.outputs["picture"]), inputs[name]["img"])
                for name, outcome in outcomes.items())
    return ("picture left as it was",) if still else slips_of(outcomes, inputs)


def slips_of(outcomes, inputs):
    return slips([moves_of(inputs[name], outcome) for name, outcome in outcomes.items()], KNOWN)


FREE, SHARP = "no penalty", "no penalty, a steeper network"
PULLED, CHAIN = "a penalty", "three calls on one picture"
TINY = (FREE, SHARP, PULLED, CHAIN)
STEP = Exercise(
    name="class_visualization_update_step", notebook="05_class_visualization",
    parameters=("img", "model", "target_y", "l2_reg", "learning_rate"), recognise=recognise,
    cases=(
        Case(FREE, small(6, 4, 119, 0, 1 / 8, l2_reg=0.0, learning_rate=5.0), stepped),
        Case(SHARP, small(4, 7, 162, 3, 1, l2_reg=0.0, learning_rate=3.0), stepped),
        Case(PULLED, small(5, 8, 345, 2, 1 / 8, l2_reg=0.015625, learning_rate=2.0), stepped),
        Case(CHAIN, small(6, 9, 285, 1, 1, l2_reg=0.0625, learning_rate=1.5, calls=3), stepped),
        Case("a specimen network", specimen, stepped, tolerance=1e-2, distance=relative_l2,
             tiny=False),
    ),
    traps=(
        Trap("another dtype than img's", PULLED, dtype=torch.float64),
        Trap("train mode while it runs", PULLED, guarded, unless=("model switched to train mode",)),
    ),
    mistakes={
        "parameters in another order":
            "The parameters stand in another order than in the notebook: "
            "class_visualization_update_step(img, model, target_y, l2_reg, learning_rate).",
        "picture left as it was":
            "img is the same as before. `img = img + …` only makes a new tensor and calls it img "
            "inside your function. Change the picture itself: under torch.no_grad(), "
            "`img += learning_rate * g / g.norm()`.",
        "new picture returned":
            "You return a new picture, and img itself stays as it was. The notebook goes on with "
            "img and ignores what is returned, so change it in place: under torch.no_grad(), "
            "`img += …`.",
        "img changed where gradients are recorded":
            "img asks for its gradient, so it cannot be changed in place while gradients are "
            "recorded. Put the last line under `with torch.no_grad():`, or change img.data.",
        "score not picked":
            "scores has a row for each picture, here (1, K), and a gradient is taken of one "
            "number. Pick it by row and class: scores[0, target_y].",
        "score descended":
            "The step goes downhill: the target's score falls. The gradient points to where it "
            "rises, so add the step.",
        "loss climbed":
            "The step makes the target less likely: a loss was climbed. Climb the target's raw "
            "score, scores[0, target_y].",
        "loss or probability instead of the score":
            "The step follows the cross-entropy loss, or the probability: both also push the "
            "other classes down. Take the target's raw score alone, scores[0, target_y], before "
            "any softmax or loss.",
        "loss of the softmax":
            "This is the loss of probabilities, a softmax of a softmax. Take the target's raw "
            "score, scores[0, target_y].",
        "difference of two scores":
            "The step follows the target's score minus the best one. A good idea, and another "
            "method: here the target's raw score, scores[0, target_y], is climbed alone.",
        "present class pushed down":
            "The step pushes the predicted class down, so any other may win. Climb "
            "scores[0, target_y].",
        "predicted class instead of the target":
            "The step makes the predicted class stronger, whatever it is. Climb "
            "scores[0, target_y].",
        "all scores together":
            "This climbs all the scores together. Pick the target's, scores[0, target_y].",
        "score of another class":
            "This climbs the score of another class. Pick the target's, scores[0, target_y].",
        "not divided by the norm":
            "Your step is not divided by the gradient's length. Many published solutions leave "
            "that out, and get pictures too; the notebook asks for it, since then a step is as "
            "long as learning_rate says for every network: learning_rate * g / g.norm().",
        **NORMS,
        "learning rate unused":
            "The step has the same length whatever learning_rate is. Multiply by learning_rate "
            "after the division; before it, the division takes it away again.",
        "another learning rate":
            "The step is right but for its length: it should be learning_rate once, "
            "learning_rate * g / g.norm().",
        "clamped":
            "The picture is clamped. The step leaves it as it is; the notebook clamps it "
            "elsewhere.",
        "norm instead of squared norm":
            "The penalty is the norm of the picture, and should be its square: "
            "l2_reg * img.square().sum(). A norm pulls equally hard at large and small pictures.",
        "penalty without effect":
            "l2_reg makes no difference. Either the penalty has no gradient (it was cut off by "
            ".data, .item() or no_grad), or it cancels. Subtract l2_reg * img.square().sum() from "
            "the score before you take the gradient.",
        "penalty's sign turned":
            "The penalty makes the picture larger: its sign is turned. Climb score - penalty, so "
            "its part of the gradient is -2 * l2_reg * img.",
        "penalty's factor 2 missing":
            "The penalty pulls half as much as it should: the gradient of l2_reg * ‖img‖² is "
            "2 * l2_reg * img.",
        "penalty twice":
            "The penalty pulls twice as much as it should. Either it is in the score that you "
            "differentiate or you subtract 2 * l2_reg * img by hand, not both.",
        "square instead of its gradient":
            "The square of the picture was taken off the gradient, or off the picture. What "
            "belongs there is the gradient of that square, 2 * l2_reg * img.",
        "mean instead of the sum of squares":
            "The penalty is the mean of the squares, which is hardly felt. ‖img‖² is their sum: "
            "l2_reg * img.square().sum().",
        "sum of the picture in the penalty":
            "The penalty is the sum of the picture, so every pixel is pulled by the same number. "
            "Square it first: l2_reg * img.square().sum().",
        "another norm in the penalty":
            "The penalty uses another norm than the squared L2 norm: "
            "l2_reg * img.square().sum().",
        "penalty on the scores":
            "The penalty is taken of the network's scores. It belongs to the picture: "
            "l2_reg * img.square().sum().",
        "penalty outside the division":
            "The penalty's part comes after the division, so it is not divided with the rest. Let "
            "g be the gradient of score minus penalty, and divide all of it: g / g.norm().",
        "penalty without the learning rate":
            "The penalty's part is taken off apart from the step, and not multiplied by "
            "learning_rate. Let g be the gradient of score minus penalty, and take one step: "
            "learning_rate * g / g.norm().",
        "another penalty":
            "Without a penalty we know your step, with one we do not: what l2_reg multiplies is "
            "not the squared L2 norm of the picture. Climb scores[0, target_y] - l2_reg * "
            "img.square().sum().",
        "gradient piles up":
            "The second call still contains the first one's gradient: backward() adds to what is "
            "in img.grad. Clear it after each step (img.grad = None, or img.grad.zero_() with its "
            "brackets; model.zero_grad() clears the network's only), or use torch.autograd.grad.",
        "something kept between calls":
            "The second call on a picture does something else than the first: something was kept. "
            "Each call takes one gradient, where img is by then, and forgets it.",
        "another dtype than img's":
            "With a float64 picture it should stay float64: make no float32 tensors of your own.",
        "train mode while it runs":
            "The network ran in train mode, where dropout and batch norm change the scores. Leave "
            "its mode alone.",
    },
    errors={
        "img changed where gradients are recorded": re.compile(
            r"leaf Variable that requires grad is being used in an in-place"),
        "score not picked": re.compile(r"grad can be implicitly created only for scalar|"
                                       r"index \d+ is out of bounds for dimension 0 with size 1"),
        "another dtype than img's": re.compile(
            r"same dtype|[Dd]ouble.*[Ff]loat|[Ff]loat.*[Dd]ouble"),
    },
    row={
        "signature": "class_visualization_update_step(img, model, target_y, l2_reg, learning_rate)",
        "shapes": "img (1, 3, H, W), target_y a class index, l2_reg and learning_rate numbers",
        "gives": "nothing: img is changed in place, and what is returned is ignored; the network "
                 "stays as it was",
        "formula": "img ← img + learning_rate · g / ‖g‖₂, g = ∂(S_target_y(img) − l2_reg · "
                   "‖img‖²)/∂img, S the raw scores; nothing clamped",
        "defaults": "none",
        "units": "those of img; a step is learning_rate long",
    })
