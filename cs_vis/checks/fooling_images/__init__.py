"""The exercises of notebook 04, one module each."""

from .attack import ATTACK
from .difference import DIFFERENCE
from .fooling import FOOLING

EXERCISES = (FOOLING, ATTACK, DIFFERENCE)
