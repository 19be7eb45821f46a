"""Training what ships, one command each: `cs-vis train specimens`, then `cs-vis train
specimens-robust`. Everything is drawn from the seed and the number of the step, so a run that was
killed goes on from its last checkpoint as if nothing had happened."""

from .specimens import train

__all__ = ["train"]
