"""The exercises of notebook 01, one module each."""

from .field import FIELD
from .filters import FILTERS
from .maps import MAPS
from .patches import PATCHES

EXERCISES = (FILTERS, MAPS, FIELD, PATCHES)
