"""Pictures of the frozen gallery for the larger cases, as data."""


def pictures(places):
    """Pictures (N, 3, 128, 128) and labels (N,) of the gallery."""
    from ...specimens import gallery  # here, for the tiny cases need none
    frozen = gallery()
    return frozen.images[places].double(), frozen.labels[places]


def mask_of(place):
    """The true mask (128, 128) of one picture of the gallery."""
    from ...specimens import gallery
    return gallery().masks[place]
