"""The drawn world: specimens whose label, mask and parts are known exactly.

`draw` gives one specimen, `batch` many, `collection` thousands that are drawn once and kept,
`gallery` the frozen pictures that notebooks and goldens use. `Facts` and `Pose` say what is known
of a specimen, and in which units.
"""

from .collection import Collection, collection
from .draw import Specimen, batch, class_names, draw, part_names
from .facts import Facts, Pose
from .frozen import Gallery, gallery

__all__ = ["Collection", "Facts", "Gallery", "Pose", "Specimen", "batch", "class_names",
           "collection", "draw", "gallery", "part_names"]
