"""The drawn world: specimens whose label, mask and parts are known exactly.

`draw` gives one specimen, `batch` many, `gallery` the frozen pictures that notebooks and goldens
use. `Facts` and `Pose` say what is known of a specimen, and in which units.
"""

from .draw import Specimen, batch, class_names, draw, part_names
from .facts import Facts, Pose
from .frozen import Gallery, gallery

__all__ = ["Facts", "Gallery", "Pose", "Specimen", "batch", "class_names", "draw", "gallery",
           "part_names"]
