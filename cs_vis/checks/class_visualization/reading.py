"""What the pictures of `class_visualization_update_step` tell: the penalty is what pulls."""

import torch

from ..ascent import OBJECTIVES, Start
from ..distance import comparable
from ..inputs import live
from ..moves import Known, Move, all_of_it, outside_the_division, without_the_rate


def of_the_scores(start):
    return start.slope(lambda s, t: s.square().sum())


PULLS = {  # the gradient of what is taken off, without its weight, at start
    "": (lambda start: 2 * start.picture,),
    "norm instead of squared norm": (lambda start: start.picture / start.picture.norm(),
                                     lambda start: 2 * start.picture / start.picture.norm()),
    "penalty without effect": (lambda start: torch.zeros_like(start.picture),),
    "penalty's sign turned": (lambda start: -2 * start.picture,),
    "penalty's factor 2 missing": (lambda start: start.picture,),
    "penalty twice": (lambda start: 4 * start.picture,),
    "square instead of its gradient": (lambda start: start.picture.square(),
                                       lambda start: start.picture.square().sum()
                                       * torch.ones_like(start.picture)),
    "mean instead of the sum of squares": (
        lambda start: 2 * start.picture / start.picture.numel(),),
    "sum of the picture in the penalty": (lambda start: torch.ones_like(start.picture),
                                          lambda start: -torch.ones_like(start.picture)),
    "another norm in the penalty": (
        lambda start: start.picture.sign(),
        lambda start: start.picture * start.picture.abs() / start.picture.norm(3) ** 2),
    "penalty on the scores": (of_the_scores, lambda start: start.slope(lambda s, t: s.norm())),
}
KNOWN = Known(
    OBJECTIVES, PULLS,
    {"": all_of_it, "penalty outside the division": outside_the_division,
     "penalty without the learning rate": without_the_rate},
    downhill=("score descended", "loss climbed"), turned="penalty's sign turned",
    another="another penalty")


def moves_of(inputs, outcome) -> list[Move]:
    """The calls of one case in float64; where the picture itself stayed, what was returned."""
    given = live(inputs, "cpu", torch.float64)
    pictures = [outcome.outputs.get(f"returned {name}", picture)
                for name, picture in outcome.outputs.items() if not name.startswith("returned ")]
    if any(picture.shape != given["img"].shape for picture in pictures):
        return []
    pictures = [given["img"], *map(comparable, pictures)]
    return [Move(Start(given["model"], given["target_y"], start), given["l2_reg"],
                 given["learning_rate"], end) for start, end in zip(pictures, pictures[1:])]
