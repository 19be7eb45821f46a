"""The exercises of notebook 05, one module each."""

from .blurring import BLUR
from .clipping import GRADIENTS, PIXELS
from .jittering import JITTER
from .step import STEP

EXERCISES = (STEP, JITTER, BLUR, PIXELS, GRADIENTS)
