"""The exercises of notebook 03, one module each."""

from .guided import GUIDED
from .maps import SALIENCY
from .occlusion import OCCLUSION
from .segment import SEGMENT

EXERCISES = (SALIENCY, OCCLUSION, GUIDED, SEGMENT)
