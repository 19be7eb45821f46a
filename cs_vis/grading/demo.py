"""`make demo`: a page of pictures, then a sample class graded from beginning to end."""

import os
import shutil
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

from cs_vis.grading import build, sample_class, steps, stock
from cs_vis.course import ROOT

CHECK_SECONDS = 10  # the sample class has an endless loop: wait for it no longer than needed


def demo(folder: Path = ROOT / "demo", *, workers: int = 2) -> None:
    """Draw the gallery, build the notebook, grade the sample class, and say where it all lies."""
    start = time.perf_counter()
    from cs_vis.grading.gallery import make_gallery  # slow to import, and not needed to grade
    print("Drawing the gallery ...", flush=True)
    page = make_gallery(folder / "gallery")
    print(f"Gallery: {shown(page)}  ({time.perf_counter() - start:.0f} s)\n", flush=True)
    grade_sample_class(folder / "class", workers=workers)
    print(f"\nAll done in {time.perf_counter() - start:.0f} s. Pictures: {shown(page)}")


def grade_sample_class(folder: Path, *, workers: int = 2) -> list[stock.Grade]:
    """Build, hand in, autograde, write feedback, export; print and return the grades."""
    name = sample_class.NAME
    shutil.rmtree(folder, ignore_errors=True)
    workspace = prepare(folder, name)
    stories = {entry.student: entry.story for entry in sample_class.hand_in(workspace)}
    print(f"Grading {len(stories)} submissions of {name} with nbgrader ...", flush=True)
    # One thread for each worker: on two cores, two kernels of two threads would only wait.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    limits = partial(steps.time_limit, check=CHECK_SECONDS)
    grades = []
    for grade in stock.grade_class(workspace, name, workers=workers, timeout_func=limits):
        grades.append(grade)
        print(f"  {len(grades):2}/{len(stories)}  {grade.student}", flush=True)
    grades.sort()
    export(workspace)
    print("\n" + table(grades, stories))
    print(f"\nFeedback: {shown(workspace)}/feedback/STUDENT/{name}/{name}.html\n"
          f"Grades:   {shown(workspace)}/grades.csv")
    return grades


def prepare(folder: Path, name: str) -> Path:
    """The workspace of a fresh build: the source converted anew, with the outputs it had."""
    build.build(name, execute=False)
    workspace = stock.make_workspace(folder, name)
    stock.generate_assignment(workspace, name)
    return workspace


def export(workspace: Path) -> None:
    """`nbgrader export`: grades.csv in the workspace."""
    subprocess.run([sys.executable, "-m", "nbgrader", "export"], cwd=workspace, check=True,
                   capture_output=True)


def table(grades, stories) -> str:
    """The grade table as text, one line for each student."""
    width = max(len(story) for story in stories.values())
    lines = [f"{'student':10} {'points':>7}  {'handed in':{width}}  why"]
    lines += [f"{grade.student:10} {grade.points:4g}/{grade.maximum:g}  "
              f"{stories[grade.student]:{width}}  {grade.reason}" for grade in grades]
    return "\n".join(lines)


def shown(path: Path) -> str:
    """The path as short as it can be said from here."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
