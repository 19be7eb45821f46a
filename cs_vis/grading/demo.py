"""`make demo`: a page of pictures, then a sample class graded from beginning to end."""

import os
import shutil
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from textwrap import shorten

from cs_vis.course import ROOT
from cs_vis.grading import build, roster, sample_class, steps, stock

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


def grade_sample_class(folder: Path, name: str = sample_class.NAME, *,
                       workers: int = 2) -> list[stock.Grade]:
    """Build, hand in, autograde, write feedback, export; print and return the grades."""
    shutil.rmtree(folder, ignore_errors=True)
    workspace = prepare(folder, name)
    stories = {entry.student: entry.story for entry in sample_class.hand_in(workspace, name)}
    listed = roster.read(workspace / roster.FILE)
    print(f"Grading {len(stories)} submissions of {name} with nbgrader ...", flush=True)
    # One thread for each worker: on two cores, two kernels of two threads would only wait.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    limits = partial(steps.time_limit, check=CHECK_SECONDS)
    grades = []
    for grade in stock.grade_class(workspace, name, workers=workers, timeout_func=limits):
        grades.append(grade)
        print(f"  {len(grades):2}/{len(listed)}  {grade.student}", flush=True)
    grades.sort()
    export(workspace)
    print("\n" + table(grades, stories, listed))
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


def table(grades, stories, listed) -> str:
    """The grade table as text, one line for each student."""
    names = {grade.student: roster.full_name(listed.get(grade.student)) or grade.student
             for grade in grades}
    told = {grade.student: stories.get(grade.student, "") for grade in grades}
    wide, wider = (max(map(len, column.values())) for column in (names, told))
    lines = [f"{'student':{wide}} {'points':>7}  {'handed in':{wider}}  why"]
    lines += [f"{names[grade.student]:{wide}} {grade.points:4g}/{grade.maximum:g}  "
              f"{told[grade.student]:{wider}}  {shorten(grade.reason, 95, placeholder=' ...')}"
              for grade in grades]
    return "\n".join(lines)


def shown(path: Path) -> str:
    """The path as short as it can be said from here."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
