"""The exercises of notebook 08, one module each."""

from .guide import GUIDE
from .octaves import OCTAVES
from .step import DREAM

EXERCISES = (DREAM, OCTAVES, GUIDE)
