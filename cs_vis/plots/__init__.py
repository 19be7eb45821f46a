"""What a notebook shows: `plots.grey(map)` and the like make one picture of one tensor, with a
note on its scale; `plots.show([...])` and the like lay pictures out as a figure."""

from .covered import occlusion, occlusion_picture, patch_on
from .figures import Figure, bars, curves, live, show
from .maps import PictureMap, picture_map, scatter
from .moving import Video, video
from .pictures import Picture, coloured, cut_out, grey, heat, outlined, picture, signed
from .tiles import tiles

__all__ = ["Figure", "Picture", "PictureMap", "Video", "bars", "coloured", "curves", "cut_out",
           "grey", "heat", "live", "occlusion", "occlusion_picture", "outlined", "patch_on",
           "picture", "picture_map", "scatter", "show", "signed", "tiles", "video"]
