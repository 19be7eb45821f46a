"""How long a notebook takes its time: CS_VIS_PROFILE=test runs the same code with fewer steps."""

import os


def steps(full: int, test: int) -> int:
    """`full`, or `test` where the environment variable CS_VIS_PROFILE says "test"."""
    return test if os.environ.get("CS_VIS_PROFILE") == "test" else full
