"""Looking inside convolutional networks: the helper library of the cs_vis course."""

__version__ = "0.1.0"
