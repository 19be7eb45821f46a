"""What a student calls beside an exercise: one tick, or one message that helps.

    from cs_vis import check
    check.compute_saliency_maps(compute_saliency_maps)

Each takes the student's function, prints a line or raises CheckFailed, and returns None. The
function itself, the notebook's networks and the random numbers stay as they were.
"""

from .exercise import CheckFailed, NotSolved
from .saliency import GUIDED, OCCLUSION, SALIENCY, SEGMENT

EXERCISES = {exercise.name: exercise for exercise in (SALIENCY, OCCLUSION, GUIDED, SEGMENT)}
globals().update(EXERCISES)

__all__ = ["CheckFailed", "NotSolved", *EXERCISES]
