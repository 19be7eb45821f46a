"""The drawn world: specimens whose label, mask and parts are known exactly.

`draw` gives one specimen, `batch` many, `gallery` the frozen pictures that notebooks and goldens
use.
"""

from .draw import Specimen, batch, class_names, draw, part_names
from .frozen import Gallery, gallery

__all__ = ["Gallery", "Specimen", "batch", "class_names", "draw", "gallery", "part_names"]
