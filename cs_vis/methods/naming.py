"""A forced choice: names for pictures, and how many are right."""

from difflib import get_close_matches

import torch
from torch import nn

from ..require import require_batch, require_model, require_texts


@torch.no_grad()
def named(pictures: torch.Tensor, network: nn.Module) -> list[str]:
    """The network's name for each picture (N, 3, H, W): N names."""
    require_batch(pictures, "pictures")
    require_model(network, "network")
    return [network.class_names[k] for k in network(pictures).argmax(dim=1).tolist()]


def read_names(text: str, names) -> list[str]:
    """The names in a text, parted by commas or lines, each as `names` spells it.

    Capitals and small slips do not matter; what is near none of the names stays as it is.
    """
    known = {name.lower(): name for name in names}
    said = [part.strip() for part in text.replace("\n", ",").split(",") if part.strip()]
    near = [get_close_matches(word.lower(), known, n=1, cutoff=0.75) for word in said]
    return [known[found[0]] if found else word for word, found in zip(said, near)]


def verdict(said: list[str], true: list[str]) -> str:
    """How many of the names are right, and what was taken for what: "22 of 24 right; eye as bee".

    A name that is missing is wrong; those beyond the last picture are counted, too.
    """
    require_texts(said, "said")
    require_texts(true, "true")
    given = [*said, *["(no name)"] * (len(true) - len(said))]
    wrong = [f"{right} as {word}" for word, right in zip(given, true) if word != right]
    beyond = [f"{len(said) - len(true)} names too many"] if len(said) > len(true) else []
    return "; ".join([f"{len(true) - len(wrong)} of {len(true)} right", *wrong, *beyond])
