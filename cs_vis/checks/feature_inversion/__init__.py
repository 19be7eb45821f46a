"""The exercises of notebook 06, one module each."""

from .alpha import ALPHA
from .distance import DISTANCE
from .step import STEP
from .variation import VARIATION

EXERCISES = (DISTANCE, VARIATION, ALPHA, STEP)
