"""Notebook 04 goes on to its end whatever a student's functions do."""

import re
import textwrap

import nbformat
import pytest

from cs_vis.course import ROOT
from cs_vis.grading import build
from cs_vis.grading.hidden import Visible
from test_notebook import all_lines
from written import hidden_cells

NAME = "04_fooling_images"
SIGNATURES = {"fooling_solution": "make_fooling_image(X, target_y, model)",
              "difference_solution": "magnified_difference(X, fooled, scale)",
              "attack_solution": "attack_step(X, original, y, model, rate, radius, norm)"}
RIGHT = {  # written otherwise than in the solution
    "fooling_solution": """
        for _ in range(100):
            X = X.detach().requires_grad_()
            scores = model(X)
            if scores.argmax() == target_y:
                break
            g = torch.autograd.grad(scores[0, target_y], X)[0]
            X = X + g / g.norm()
        return X.detach().clone()""",
    "difference_solution": "return ((fooled - X) / scale / 2 + 0.5).clamp(0, 1)"}
BODIES = {  # what is not named stays a stub
    "blank": {},
    "None": dict.fromkeys(SIGNATURES, "X + 1"),
    "another shape": dict.fromkeys(SIGNATURES, "return X[0]"),
    "NaN": dict.fromkeys(SIGNATURES, "return X * torch.nan"),
    "raises": dict.fromkeys(SIGNATURES, "return X.grad.sign()"),
    "attack_step alone is wrong": RIGHT | {
        "attack_solution": "return (X + rate * X.grad.sign()).clamp(0, 1)"},
}


def with_bodies(bodies):
    """The code cells as handed out, with these bodies in the place of the stubs."""
    file = ROOT / "notebooks" / NAME / f"{NAME}.ipynb"
    cells = [cell for cell in nbformat.read(file, as_version=4).cells if cell.cell_type == "code"]
    for cell in cells:
        if cell.id in bodies:
            body = textwrap.indent(textwrap.dedent(bodies[cell.id]).strip(), "    ")
            cell.source = f"def {SIGNATURES[cell.id]}:\n{body}"
    return cells


def test_every_graded_cell_of_the_notebook_is_defined():
    source = (ROOT / "solutions" / f"{NAME}.py").read_text(encoding="utf-8")
    graded = set(re.findall(r'"grade_id": "(\w+)", "grade": true', source))
    cells = hidden_cells(NAME)
    assert {f"{topic}_hidden_{name}" for topic, name in re.findall(
        r'"(\w+)_hidden_\w+".*?hidden\.(\w+)\(', source, flags=re.S)} | {
        name for name, cell in cells.items() if isinstance(cell, Visible)} == graded
    assert len(graded) == len(cells)


@pytest.mark.parametrize("kinds", [["another shape"], pytest.param(
    [kind for kind in BODIES if kind != "another shape"], marks=pytest.mark.slow)],
    ids=["another shape", "all others"])
def test_a_wrong_answer_does_not_stop_the_notebook(kinds, tmp_path):
    """One kernel runs it to the end with each kind in turn; only checks fail."""
    runs = {kind: with_bodies(BODIES[kind]) for kind in kinds}
    notebook = nbformat.v4.new_notebook(metadata=build.METADATA)
    notebook.cells = [cell for cells in runs.values() for cell in cells]
    build.NotebookClient(
        notebook, kernel_name="python3", timeout=300, allow_errors=True,
        resources={"metadata": {"path": str(tmp_path)}},
    ).execute(env=build.environment("test"))
    for kind, cells in runs.items():
        lines = all_lines(cells)
        assert lines and all(line.count("\n") <= 6 for line in lines), kind
        assert all(line.startswith(("✗ ", "○ ")) for line in lines if line), (kind, lines)
        said = sum(map(bool, lines))
        if kind == "attack_step alone is wrong":
            assert 0 < said < len(lines)
            assert all("attack_step" in line for line in lines if line)
        else:
            assert said > len(lines) / 2, (kind, lines)
