"""A class to try the grader on: what its students hand in for each assignment, and the points that
this deserves."""

import json
from copy import deepcopy
from pathlib import Path
from typing import NamedTuple

import nbformat

NAME = "03_saliency"  # the assignment that the demo grades; of the others a few are handed in
SALIENCY, OCCLUSION, GUIDED, SEGMENT = (
    f"{exercise}_solution" for exercise in ("saliency", "occlusion", "guided", "segment"))
FOOLING, ATTACK, DIFFERENCE = (
    f"{exercise}_solution" for exercise in ("fooling", "attack", "difference"))
STEP, JITTER, BLUR, PIXELS, GRADIENTS = (
    f"{exercise}_solution" for exercise in ("step", "jitter", "blur", "pixels", "gradients"))
DISTANCE, VARIATION, ALPHA = (
    f"{exercise}_solution" for exercise in ("distance", "variation", "alpha"))
DREAM, OCTAVES, GUIDE = (f"{exercise}_solution" for exercise in ("dream", "octaves", "guide"))
FILTERS, MAPS, FIELD, PATCHES = (
    f"{exercise}_solution" for exercise in ("filters", "maps", "field", "patches"))
NEIGHBORS, PCA, GRID = (f"{exercise}_solution" for exercise in ("neighbors", "pca", "grid"))

WARNING = ("    import sys, warnings\n    warnings.warn('a mere warning')\n"
           "    print('10%', file=sys.stderr)\n")
LOOP = "    while True:\n        pass\n"
EXIT = "    import os\n    os._exit(1)\n"


class Submission(NamedTuple):
    """One student's work: the right answers, changed in some places."""
    student: str
    story: str  # a known mistake goes by its name in solutions/NAME_mistakes.py
    points: float
    reason: str  # a part of the line in the grade table
    changes: dict = {}  # grade_id -> (old text, new text) of the right answer, or None: unsolved
    spoil: str = ""  # name of a function below that makes the file's bytes
    files: tuple[str, ...] = ("{}.ipynb",)  # with the assignment's name filled in


BLANK = dict.fromkeys((SALIENCY, OCCLUSION, GUIDED, SEGMENT))
CLASS = [
    Submission("ada", "right", 20, "all checks passed"),
    Submission("alan", "an endless loop", 14, "longer than the time limit",
               {SALIENCY: ("    X = X.detach()", f"{LOOP}    X = X.detach()")}),
    Submission("alonzo", "right, in a file of another name", 20, "all checks passed",
               files=("{} (1).ipynb",)),
    Submission("barbara", "right, but printing warnings", 20, "all checks passed",
               {SALIENCY: ("    X = X.detach()", f"{WARNING}    X = X.detach()")}),
    Submission("carl", "mean over channels", 16, "mean over channels",
               {SALIENCY: ("amax(dim=1)", "mean(dim=1)")}),
    Submission("daniel", "no flush window", 17, "no flush window",
               {OCCLUSION: ("sorted({*range(0, size - patch, stride), size - patch})",
                            "range(0, size - patch + 1, stride)")}),
    Submission("emmy", "right in another way", 20, "all checks passed",
               {SALIENCY: ("torch.autograd.grad(scores.gather(1, y.view(-1, 1)).sum(), X)",
                           "torch.autograd.grad(scores[torch.arange(len(y)), y].sum(), X)")}),
    Submission("evariste", "half solved", 11, "not written yet", {GUIDED: None, SEGMENT: None}),
    Submission("georg", "only the gradient clamped", 16, "only the gradient clamped",
               {GUIDED: (" * (x > 0)", "")}),
    Submission("grace", "raises an error", 15, "covered_image",
               {OCCLUSION: ("model(covered)", "model(covered_image)")}),
    Submission("henri", "probable label dropped", 16, "probable label dropped",
               {SEGMENT: (" | (labels == cv2.GC_PR_FGD)", "")}),
    Submission("hypatia", "an empty folder", 0, "the folder is empty", files=()),
    Submission("isaac", "two notebooks, neither by its name", 0, "None of the 2 notebooks",
               files=("first try.ipynb", "second try.ipynb")),
    Submission("john", "the kernel dies", 16, "kernel died",
               {SEGMENT: ("    rgb =", f"{EXIT}    rgb =")}),
    Submission("katherine", "cross-entropy instead of the score", 15,
               "cross-entropy instead of the score",
               {SALIENCY: ("scores.gather(1, y.view(-1, 1)).sum()",
                           "torch.nn.functional.cross_entropy(scores, y)")}),
    Submission("leonhard", "blank", 0, "not written yet", BLANK),
    Submission("maryam", "an empty file", 0, "could not be read as a notebook", spoil="emptied"),
    Submission("paul", "broken JSON", 0, "could not be read as a notebook", spoil="truncated"),
    Submission("sofia", "cells missing", 15, "not written yet", {}, "without_cells"),
    Submission("srinivasa", "a solution cell twice", 20, "all checks passed", {}, "with_a_copy"),
]


def a_few(cells, *wrong: Submission, by_hand: float = 0) -> list[Submission]:
    """Right work, some wrong, and a blank notebook; so many points wait for a person."""
    waits = f"; {by_hand:g} points wait for a person" if by_hand else ""
    return [Submission("ada", "right", 20 - by_hand, f"all checks passed{waits}"), *wrong,
            Submission("leonhard", "blank", 0, "not written yet", dict.fromkeys(cells))]


CLASSES = {
    "01_filters_and_activations": a_few(
        (FILTERS, MAPS, FIELD, PATCHES, "question_answer"),
        Submission("carl", "all filters scaled together", 15, "all filters scaled together",
                   {FILTERS: ("dim=(1, 2, 3), keepdim=True", "")}),
        Submission("georg", "padding without the stride", 7, "padding without the stride",
                   {FIELD: ("padding * stride", "padding")}), by_hand=2),
    "02_feature_space": a_few(
        (NEIGHBORS, PCA, GRID, "maps_answer"),
        Submission("carl", "query included", 15, "query included",
                   {NEIGHBORS: (".masked_fill(itself, torch.inf)", "")}),
        Submission("georg", "not centred", 12, "not centred",
                   {PCA: ("features - features.mean(dim=0)", "features")}), by_hand=2),
    NAME: CLASS,
    "04_fooling_images": a_few(
        (FOOLING, ATTACK, DIFFERENCE),
        Submission("carl", "not divided by the norm", 14, "not divided by the norm",
                   {FOOLING: (" / g.norm()", "")}),
        Submission("georg", "not cut to [0, 1]", 12, "not cut to [0, 1]",
                   {ATTACK: (".clamp(0, 1)", "")})),
    "05_class_visualization": a_few(
        (STEP, JITTER, BLUR, PIXELS, GRADIENTS),
        Submission("carl", "not divided by the norm", 12, "not divided by the norm",
                   {STEP: (" / gradient.norm().clamp(min=1e-12)", "")}),
        Submission("georg", "rows and columns swapped", 18, "rows and columns swapped",
                   {JITTER: ("(oy, ox)", "(ox, oy)")})),
    "06_feature_inversion": a_few(
        (DISTANCE, VARIATION, ALPHA, STEP),
        Submission("carl", "not divided by the target", 9, "not divided by the target",
                   {DISTANCE: (" / target.square().sum()", "")}),
        Submission("georg", "beta instead of beta / 2", 14, "beta instead of beta / 2",
                   {VARIATION: ("pow(beta / 2)", "pow(beta)")})),
    "08_deepdream": a_few(
        (DREAM, OCTAVES, GUIDE),
        Submission("carl", "not divided", 10, "not divided",
                   {DREAM: (" / g.abs().mean().clamp(min=1e-30)", "")}),
        Submission("georg", "lost detail not added again", 14, "lost detail not added again",
                   {OCTAVES: ("dreamed = dream(base + resized(detail, size))\n"
                              "        detail = dreamed - base",
                              "dreamed = dream(base if k == octaves - 1 else "
                              "resized(dreamed, size))")}))}


# Who is in the course; one of them hands in nothing.
NAMES = {"ada": "Ada Lovelace", "alan": "Alan Turing", "alonzo": "Alonzo Church",
         "barbara": "Barbara Liskov", "carl": "Carl Gauss", "daniel": "Daniel Bernoulli",
         "emmy": "Emmy Noether", "evariste": "Évariste Galois", "georg": "Georg Cantor",
         "grace": "Grace Hopper", "hedy": "Hedy Lamarr", "henri": "Henri Poincaré",
         "hypatia": "Hypatia ", "isaac": "Isaac Newton", "john": "John von Neumann",
         "katherine": "Katherine Johnson", "leonhard": "Leonhard Euler",
         "maryam": "Maryam Mirzakhani", "paul": "Paul Erdős", "sofia": "Sofia Kovalevskaya",
         "srinivasa": "Srinivasa Ramanujan"}


def hand_in(workspace: Path, name: str = NAME) -> list[Submission]:
    """Write the list of students, and everybody's files into submitted/STUDENT/NAME."""
    release, solution = (nbformat.read(workspace / step / name / f"{name}.ipynb", as_version=4)
                         for step in ("notebooks", "solutions"))
    answers = right_answers(solution)
    lines = [",".join([student, *full.split(" ", 1), f"{student}@example.org"])
             for student, full in NAMES.items()]
    (workspace / "students.csv").write_text(
        "\n".join(["id,first_name,last_name,email", *lines]) + "\n", encoding="utf-8")
    for submission in CLASSES[name]:
        folder = workspace / "submitted" / submission.student / name
        folder.mkdir(parents=True, exist_ok=True)
        content = write(release, answers, submission)
        for file in submission.files:
            (folder / file.format(name)).write_bytes(content)
    return CLASSES[name]


def right_answers(solution) -> dict[str, str]:
    """The sources of the solution cells, without nbgrader's marks."""
    return {cell.metadata.nbgrader.grade_id:
            "\n".join(line for line in cell.source.splitlines() if "### " not in line)
            for cell in solution.cells if cell.metadata.get("nbgrader", {}).get("solution")}


def write(release, answers, submission) -> bytes:
    """The bytes of one student's file; ValueError where a change does not fit the answer."""
    notebook = deepcopy(release)
    for cell in notebook.cells:
        if cell.id in answers:
            cell.source = change(cell, answers[cell.id], submission)
    spoil = globals()[submission.spoil] if submission.spoil else as_bytes
    return spoil(notebook)


def change(cell, answer, submission) -> str:
    if cell.id not in submission.changes:
        return answer
    if submission.changes[cell.id] is None:
        return cell.source  # the stub
    old, new = submission.changes[cell.id]
    if old not in answer:
        raise ValueError(f"student={submission.student!r} changes {old!r}, which is not in the "
                         f"solution of {cell.id}: bring CLASSES up to date with the notebook")
    return answer.replace(old, new)


def as_bytes(notebook) -> bytes:
    return json.dumps(notebook).encode()


def emptied(notebook) -> bytes:
    return b""


def truncated(notebook) -> bytes:
    return as_bytes(notebook)[:5000]


def without_cells(notebook) -> bytes:
    """Deleted in the editor: one solution, and one check that had failed before."""
    notebook.cells = [cell for cell in notebook.cells if cell.id not in (GUIDED, "saliency_check")]
    return as_bytes(notebook)


def with_a_copy(notebook) -> bytes:
    """Copied and pasted in Jupyter, where the copy keeps its grade_id: the last one counts."""
    place = next(i for i, cell in enumerate(notebook.cells) if cell.id == SALIENCY)
    first = {**notebook.cells[place], "id": "first-try"}
    first["source"] = first["source"].replace("amax", "mean")
    notebook.cells.insert(place, nbformat.from_dict(first))
    return as_bytes(notebook)
