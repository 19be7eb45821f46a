"""What a student calls beside an exercise: one tick, or one message that helps.

    from cs_vis import check
    check.compute_saliency_maps(compute_saliency_maps)
    check.progress()

Each takes the student's function, prints a line or raises CheckFailed, and returns None. The
function itself, the notebook's networks and the random numbers stay as they were; how the check
ended is remembered for `progress`, which prints the points so far.
"""

from importlib import import_module

from ..course import assignments, topic
from .exercise import CheckFailed, NotSolved
from .points import progress

# A notebook's exercises stand in the folder named after its topic, in the notebook's order.
EXERCISES = {exercise.name: exercise for name in assignments()
             for exercise in import_module(f".{topic(name)}", __name__).EXERCISES}
globals().update(EXERCISES)

__all__ = ["CheckFailed", "NotSolved", "progress", *EXERCISES]
