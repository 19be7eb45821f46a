"""What a notebook shows: `plots.grey(map)` and the like make one picture of one tensor, with a
note on its scale; `plots.show([...])` and the like lay pictures out as a figure."""

from .covered import occlusion, occlusion_picture, patch_on
from .figures import Figure, bars, show
from .pictures import Picture, coloured, cut_out, grey, heat, outlined, picture, signed

__all__ = ["Figure", "Picture", "bars", "coloured", "cut_out", "grey", "heat", "occlusion",
           "occlusion_picture", "outlined", "patch_on", "picture", "show", "signed"]
