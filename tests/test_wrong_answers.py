"""Every notebook goes on to its end whatever a student's functions do: only checks fail."""

import re
import textwrap

import nbformat
import pytest

from cs_vis.course import ROOT, assignments
from cs_vis.grading import build

NAMES = assignments()
STUB = "raise NotImplementedError  # your code here"
BODIES = {  # x: what the function is given first
    "another shape": "return {x}[0]",
    "blank": STUB,
    "None": "{x} * 1",
    "NaN": "return {x} * torch.nan",
    "raises": "return {x}.gradient.sign()",
}
# What only one notebook has: kind -> the bodies of some of its functions; others stay stubs.
OWN = {
    ("03_saliency", "forgot .values"): {
        "saliency_solution": """
            X.requires_grad_()
            scores = model(X).gather(1, y.view(-1, 1))
            gradient, = torch.autograd.grad(scores.sum(), X)
            return gradient.abs().max(dim=1)""",
        "occlusion_solution": "return model(image).softmax(dim=1).max(dim=1)"},
    ("03_saliency", "the first one right"): {
        "saliency_solution": """
            X = X.detach().requires_grad_()
            scores = model(X).gather(1, y.view(-1, 1))
            return torch.autograd.grad(scores.sum(), X)[0].abs().amax(dim=1)""",
        "segment_solution": "return None"},
    ("04_fooling_images", "attack_step alone is wrong"): {
        "fooling_solution": """
            for _ in range(100):
                X = X.detach().requires_grad_()
                scores = model(X)
                if scores.argmax() == target_y:
                    break
                g = torch.autograd.grad(scores[0, target_y], X)[0]
                X = X + g / g.norm()
            return X.detach().clone()""",
        "difference_solution": "return ((fooled - X) / scale / 2 + 0.5).clamp(0, 1)",
        "attack_solution": "return (X + rate * X.grad.sign()).clamp(0, 1)"},
}
FAST = "another shape"


def handed_out(name):
    file = ROOT / "notebooks" / name / f"{name}.ipynb"
    return [cell for cell in nbformat.read(file, as_version=4).cells if cell.cell_type == "code"]


def with_bodies(name, kind):
    """The code cells as handed out, with this kind of body in the place of the stubs."""
    cells = handed_out(name)
    for cell in cells:
        if (name, kind) in OWN:
            body = OWN[name, kind].get(cell.id, STUB)
            cell.source = cell.source.replace(f"    {STUB}", indented(body))
        else:
            cell.source = re.sub(r"(def \w+\((?:ctx, )?(\w+).*?)    " + re.escape(STUB),
                                 lambda found: found[1] + indented(
                                     BODIES[kind].format(x=found[2])),
                                 cell.source, flags=re.S)
    return cells


def indented(body):
    return textwrap.indent(textwrap.dedent(body).strip(), "    ")


def run(kinds, name, folder):
    """One kernel runs the notebook with each kind in turn: kind -> its cells, executed."""
    runs = {kind: with_bodies(name, kind) for kind in kinds}
    notebook = nbformat.v4.new_notebook(metadata=build.METADATA)
    notebook.cells = [cell for cells in runs.values() for cell in cells]
    build.NotebookClient(
        notebook, kernel_name="python3", timeout=300, allow_errors=True,
        resources={"metadata": {"path": str(folder)}},
    ).execute(env=build.environment("test"))
    return runs


def all_lines(cells):
    """What look cells print; fails where any but a check raised."""
    for cell in cells:
        for output in cell.outputs:
            if output.output_type == "error":
                assert "check" in cell.metadata.tags, f"{cell.source}\n{output.evalue}"
    return ["".join(out.text for out in cell.outputs if out.output_type == "stream")
            for cell in cells if "look" in cell.metadata.get("tags", [])
            and "with needs(" in cell.source]


@pytest.mark.parametrize("kinds, name", [
    pytest.param(kinds, name, id=f"{words}, {name}",
                 marks=() if (words, name) == (FAST, NAMES[-1]) else pytest.mark.slow)
    for words, kinds in ((FAST, [FAST]), ("others", [kind for kind in BODIES if kind != FAST]))
    for name in NAMES])
def test_a_wrong_answer_does_not_stop_the_notebook(kinds, name, tmp_path):
    for kind, cells in run(kinds, name, tmp_path).items():
        lines = all_lines(cells)
        assert lines and all(line.count("\n") <= 6 for line in lines), kind
        assert all(line.startswith(("✗ ", "○ ")) for line in lines if line), (kind, lines)
        assert sum(map(bool, lines)) > len(lines) / 2, (kind, lines)


@pytest.mark.slow
def test_what_needs_only_the_right_ones_is_shown(tmp_path):
    for (name, kind) in OWN:
        lines = all_lines(run([kind], name, tmp_path)[kind])
        assert all(line.startswith(("✗ ", "○ ")) for line in lines if line), (kind, lines)
        whole = " ".join("".join(lines).split())
        if kind == "the first one right":
            assert "your compute_saliency_maps" not in whole.lower()
            assert not any(lines[:3])  # the first three show what the right one gives
            assert "your segment_by_saliency returned" in whole
        elif kind == "attack_step alone is wrong":
            assert 0 < sum(map(bool, lines)) < len(lines)
            assert all("attack_step" in line for line in lines if line)
        else:
            assert sum(map(bool, lines)) > len(lines) / 2, (kind, lines)
