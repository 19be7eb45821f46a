"""What a notebook shows: `plots.grey(map)` and the like make one picture of one tensor, with a
note on its scale; `plots.show([...])` and the like lay pictures out as a figure."""

from .covered import occlusion, occlusion_picture, patch_on
from .figures import Figure, bars, curves, live, show
from .moving import Video, video
from .pictures import Picture, coloured, cut_out, grey, heat, outlined, picture, signed

__all__ = ["Figure", "Picture", "Video", "bars", "coloured", "curves", "cut_out", "grey", "heat",
           "live", "occlusion", "occlusion_picture", "outlined", "patch_on", "picture", "show",
           "signed", "video"]
