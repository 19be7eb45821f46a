"""Looking inside convolutional networks: the helper library of the cs_vis course."""

__version__ = "0.3.0"  # before the imports, for some of these modules name it

from . import checks as check
from . import images, plots, specimens, widgets
from .device import pick_device
from .models import activations, layer_names, load_model

__all__ = ["activations", "check", "images", "layer_names", "load_model", "pick_device",
           "plots", "specimens", "widgets"]
