"""What a notebook's cell says around the student's work."""

import os
from contextlib import contextmanager


def steps(full: int, test: int) -> int:
    """`full`, or `test` where the environment variable CS_VIS_PROFILE says "test".

    A notebook's long computations take fewer steps in a test; the code is the same.
    """
    return test if os.environ.get("CS_VIS_PROFILE") == "test" else full


@contextmanager
def needs(*names: str):
    """Run the block; where it meets an exercise not yet written, print one line and go on.

    `names` are the student's functions that the block calls. An empty exercise raises
    NotImplementedError without a message; PyTorch raises the same error, with a message, for
    operations that a device lacks, and that one passes through, as does every other error.
    """
    try:
        yield
    except NotImplementedError as error:
        if str(error):
            raise
        print(unsolved(*names))


def unsolved(*names: str) -> str:
    """The kind line: which functions are wanted, and what to do."""
    *some, last = names
    wanted = f"{', '.join(some)} and {last}" if some else last
    return f"Solve the exercise above first: this part runs your {wanted}."
