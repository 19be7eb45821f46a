"""What a notebook shows: `plots.grey(map)` and the like make one picture of one tensor, with a
note on its scale; `plots.show([...])` and the like lay pictures out as a figure."""

from .figures import Figure, bars, occlusion, show
from .pictures import Picture, coloured, cut_out, grey, heat, outlined, picture, signed

__all__ = ["Figure", "Picture", "bars", "coloured", "cut_out", "grey", "heat", "occlusion",
           "outlined", "picture", "show", "signed"]
