"""What a notebook's cell says around the student's work."""

import os
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from io import BytesIO, StringIO

from tqdm import tqdm

from . import __version__
from .cell import output
from .checks import EXERCISES, CheckFailed
from .checks.engine import check
from .checks.messages import wrapped
from .checks.place import is_stub, problem_of, raised_in
from .images import to_pil
from .methods.drive import finish


def steps(full: int, test: int) -> int:
    """`full`, or `test` where the environment variable CS_VIS_PROFILE says "test".

    A notebook's long computations take fewer steps in a test; the code is the same.
    """
    return test if os.environ.get("CS_VIS_PROFILE") == "test" else full


def chosen_network(default: str) -> str:
    """What the environment variable CS_VIS_NETWORK names, else `default`.

    Every notebook takes the name of its network from here, so that a test can run it on another.
    """
    return os.environ.get("CS_VIS_NETWORK") or default


def made_for(version: str) -> None:
    """What a notebook's first cell asks: a line where it was made for another version."""
    if version != __version__:
        print(f"This notebook was made for cs_vis {version}, and here is {__version__}. It may "
              f"work all the same.\nTo have that one: %pip install "
              f"cs_vis-{version}-py3-none-any.whl, then restart the kernel.")


# ---- a wrong answer does not stop the notebook -----------------------------------------------

def needs(*names: str):
    """Run the block; where a student's function stops it, say so in one line and go on.

    names: the functions of the calling cell that the block uses. The line says which are not
    written yet, or what was raised and where, or whose result the block could not use. An error
    for which none of them is the reason passes through as it is, and so does an interrupt.
    """
    cell = sys._getframe(1)
    known = {**cell.f_globals, **cell.f_locals}
    return _explained({name: known.get(name) for name in names})


@contextmanager
def _explained(functions: dict):
    try:
        yield
    except Exception as error:
        line = explain(error, functions)
        if line is None:
            raise
        print(wrapped(line))


def explain(error: Exception, functions: dict) -> str | None:
    """One line on an error for which a student's function is the reason; else None.

    functions: name -> function, or None where it is not defined. Where the traceback does not say
    who is the reason, the checks decide: only a function that fails its own is blamed.
    """
    absent = [name for name, function in functions.items() if function is None]
    if isinstance(error, NameError) and error.name in absent:
        return f"○ Run the cell above that defines {listed(absent)}, then this one again."
    defined = {name: function for name, function in functions.items() if function is not None}
    lost = [name for name, function in defined.items() if not callable(function)]
    if lost:
        return (f"✗ {listed(lost)}: no function any more, but a {type(defined[lost[0]]).__name__}. "
                f"Give that another name, and run the cell with the function again.")
    name = raised_in(error, defined)
    if name and isinstance(error, NotImplementedError) and not str(error):
        return "○ " + unsolved(*(n for n, f in defined.items() if n == name or is_stub(f)))
    problem = problem_of(error, defined.get(name))
    if name and failing(name, defined[name]):
        return f"✗ Your {name} raised {problem}. Its check above says more."
    # A stub cannot be the reason: it returns nothing that could be of no use.
    wrong = {n: said for n, f in defined.items()
             if n != name and not is_stub(f) and (said := failing(n, f))}
    if wrong:
        # What was raised speaks of our own code; what the check says is about the student's.
        said = " ".join(wrong.values()) if len(wrong) == 1 else "Their checks above say more."
        return f"✗ This part cannot use what your {listed(wrong)} returned. {said}"
    return f"✗ Your {name} raised {problem}." if name else None


def unsolved(*names: str) -> str:
    """The kind line: which functions are wanted, and what to do."""
    exercise = "exercise" if len(names) == 1 else "exercises"
    return f"Solve the {exercise} above first: this part runs your {listed(names)}."


def failing(name: str, function) -> str:
    """The first line of what the function's check says against it, "" where it passes or has
    none. Nothing is printed, and check.progress() does not hear of it."""
    try:
        with redirect_stdout(StringIO()):
            if name in EXERCISES:
                check(EXERCISES[name], function)
    except CheckFailed as error:
        return str(error).splitlines()[0]
    return ""


def listed(names) -> str:
    *some, last = names
    return f"{', '.join(some)} and {last}" if some else last


# ---- long cells ------------------------------------------------------------------------------

def progress(steps: Iterable, words: str = "", *, total: int | None = None) -> Iterator:
    """The steps, one by one, with a bar that says how far they are and is gone at their end.

    total: how many there are, where the steps do not say so, as those of a generator. In a notebook the bar is an output that is updated, and nothing of it is saved. Elsewhere it
    is on stderr, where that is a terminal.
    """
    line = _line()
    bar = tqdm(steps, words, total=total, **_style(line))
    try:
        yield from bar
    finally:  # also after an error in a step
        bar.close()


def watch(runs: dict, steps: int, words: str = "steps") -> dict:
    """Take each run to its end under one bar and one live picture: name -> the image it arrives at.

    runs: name -> frames, as methods.drive gives them, each of about so many steps. An interrupt
    keeps the best image so far of the run that is going on (methods.drive.finish) and leaves out
    those that have not begun. Of bar and live picture nothing is saved.
    """
    line, screen, finished = _line(), _LivePicture(), {}
    bar = tqdm(total=steps * len(runs), desc=words, **_style(line))

    def shown(frames):
        for frame in frames:
            bar.update()
            screen.show(frame.image)
            yield frame

    try:
        for name, frames in runs.items():
            image, whole = finish(shown(frames))
            if image is not None:
                finished[name] = image
            if not whole:
                if not finished:
                    raise KeyboardInterrupt
                print(f"Interrupted: {len(finished)} of {len(runs)} pictures, and the last is the "
                      f"best that its run had so far.")
                break
    finally:
        bar.close()
        screen.close()
    return finished


class _LivePicture:
    """An output of the cell that shows the newest image now and then, and is empty at the end."""

    EVERY, WIDTH = 0.3, 256  # seconds, and pixels on the page

    def __init__(self):
        self.output, self.at = output(), 0.0

    def show(self, image) -> None:
        if self.output is None or time.monotonic() - self.at < self.EVERY:
            return
        file = BytesIO()
        to_pil(image[:1]).save(file, "jpeg", quality=90)
        self.output({"image/jpeg": file.getvalue()}, {"image/jpeg": {"width": self.WIDTH}})
        self.at = time.monotonic()

    def close(self) -> None:
        if self.output is not None:
            self.output({})


def _style(line) -> dict:
    """How tqdm draws a bar that is gone at its end: in an output, or on a terminal's stderr."""
    style = {"leave": False, "file": line, "disable": False if line else None, "position": 0,
             "miniters": 1}
    return style | ({"ncols": 80, "ascii": False} if line else {})


class _Line:
    """An output of the cell that tqdm writes to as if it were a terminal's last line."""

    def __init__(self, output):
        self.output = output

    def write(self, text: str) -> None:
        text = text.strip("\r\n ")
        self.output({"text/plain": text} if text else {})

    def flush(self) -> None:
        pass


def _line() -> _Line | None:
    """A line of the cell; None outside a notebook."""
    place = output()
    return place and _Line(place)
