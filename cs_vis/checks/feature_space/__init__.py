"""The exercises of notebook 02, one module each."""

from .layout import LAYOUT
from .nearest import NEAREST
from .principal import PCA

EXERCISES = (NEAREST, PCA, LAYOUT)
