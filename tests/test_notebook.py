"""What a notebook says around the student's work: a wrong answer is one line, not the end."""

import ast
import contextlib
import io
import re

import pytest
import torch

from cs_vis import checks, plots
from cs_vis.checks.place import is_stub, raised_in
from cs_vis.course import ROOT, assignments
from cs_vis.grading import build
from cs_vis.methods.drive import Frame
from cs_vis.methods.saliency import backprop
from cs_vis.models import SpecimenNet
from cs_vis.notebook import needs, progress, steps, watch
from cs_vis.reference import saliency as reference

NAMES = assignments()
X, Y = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0)), torch.tensor([1, 0])


@pytest.fixture(scope="module")
def model():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return SpecimenNet(((4,), (6, 6)), 3).eval().requires_grad_(False)


def said(capsys):
    out, err = capsys.readouterr()
    assert not err and all(len(line) <= 96 for line in out.splitlines())
    return " ".join(out.split())


# ---- not written yet -------------------------------------------------------------------------

def test_an_exercise_that_is_not_written_is_one_line(capsys):
    def compute_saliency_maps(X, y, model):
        """The largest absolute gradient."""
        raise NotImplementedError  # your code here

    with needs("compute_saliency_maps"):
        compute_saliency_maps(X, Y, None)
        print("not reached")
    assert said(capsys) == ("○ Solve the exercise above first: this part runs "
                            "your compute_saliency_maps.")


def test_only_what_is_not_written_is_listed(capsys):
    from cs_vis.reference.saliency import compute_saliency_maps  # noqa: F401, the block's name

    @torch.no_grad()
    def occlusion_map(image, y, model, patch=32, stride=16, fill=None):
        fill = torch.zeros(3) if fill is None else fill
        raise NotImplementedError

    class GuidedReLU(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clamp(min=0)

        @staticmethod
        def backward(ctx, g):
            raise NotImplementedError

    with needs("compute_saliency_maps", "occlusion_map", "GuidedReLU"):
        occlusion_map(X, 1, None)
    line = said(capsys)
    assert "the exercises above first" in line
    assert line.endswith("this part runs your occlusion_map and GuidedReLU.")


def half(x):
    if x:
        raise NotImplementedError
    return x


@pytest.mark.parametrize("function", [half, lambda x: x, torch.relu, torch.zeros(3), None,
                                      reference.GuidedReLU, reference.occlusion_map])
def test_what_can_reach_its_end_is_no_stub(function):
    assert not is_stub(function)


def test_a_stub_is_read_and_never_run():
    ran = []

    def stub(x):
        ran.append(x)
        raise NotImplementedError

    assert is_stub(stub) and not ran


def test_a_cell_that_was_not_run_is_named(capsys):
    with needs("compute_saliency_maps", "occlusion_map"):
        occlusion_map(X, 1, None)  # noqa: F821
    assert said(capsys) == ("○ Run the cell above that defines "
                            "compute_saliency_maps and occlusion_map, then this one again.")


# ---- written, and wrong ----------------------------------------------------------------------

def test_what_the_function_raises_is_placed_in_its_own_line(capsys):
    def compute_saliency_maps(X, y, model):
        return X.sum(dim=7)

    with needs("compute_saliency_maps"):
        compute_saliency_maps(X, Y, None)
    assert re.fullmatch(r"✗ Your compute_saliency_maps raised IndexError "
                        r"\(Dimension out of range .*\) in line \d+: return X.sum\(dim=7\)\. "
                        r"Its check above says more\.", said(capsys))


def test_an_error_on_the_way_back_is_the_autograd_function_s(capsys, model):
    class GuidedReLU(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clamp(min=0)

        @staticmethod
        def backward(ctx, g):
            x, = ctx.saved_tensors
            return g * (x > 0)

    with needs("GuidedReLU"):
        backprop(model, X, 1, relu=GuidedReLU)
    assert re.search(r"Your GuidedReLU raised ValueError \(.*\) in line \d+: x, = ctx.saved",
                     said(capsys))


WRONG = {
    "values forgotten": lambda right: right[:, None].max(dim=1),
    "None": lambda right: None,
    "another shape": lambda right: right[:, None, None].expand(-1, 2, -1, -1, -1),
    "NaN": lambda right: right * torch.nan,
    "a number": lambda right: 0.5,
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_result_that_cannot_be_used_is_the_function_s(capsys, model, wrong):
    def compute_saliency_maps(X, y, model):
        return wrong(reference.compute_saliency_maps(X, y, model))

    with needs("compute_saliency_maps"):
        plots.show([plots.grey(m) for m in compute_saliency_maps(X, Y, model)])
    line = said(capsys)
    assert line.startswith("✗ This part cannot use what your compute_saliency_maps returned. ")
    with pytest.raises(checks.CheckFailed) as failed:
        checks.compute_saliency_maps(compute_saliency_maps)
    assert line.endswith(" ".join(str(failed.value).splitlines()[0].split()))


def test_the_function_that_was_handed_a_wrong_map_is_not_blamed(capsys, model):
    from cs_vis.reference.saliency import segment_by_saliency

    def compute_saliency_maps(X, y, model):
        return [None]

    with needs("compute_saliency_maps", "segment_by_saliency"):
        segment_by_saliency(X, compute_saliency_maps(X, Y, model)[0])
    assert "cannot use what your compute_saliency_maps returned. " in said(capsys)


def test_a_function_that_passes_its_check_is_not_said_to_fail_it(capsys, model):
    from cs_vis.reference.saliency import occlusion_map
    with needs("occlusion_map"):
        occlusion_map(X, 1, model, patch="large")
    line = said(capsys)
    assert "Your occlusion_map raised" in line and "check above" not in line


def test_a_function_that_was_overwritten_by_a_result_is_one_line_too(capsys, model):
    compute_saliency_maps = torch.zeros(3)
    with needs("compute_saliency_maps"):
        compute_saliency_maps(X, Y, model)
    assert said(capsys).startswith("✗ compute_saliency_maps: no function any more, but a Tensor.")


def test_the_line_about_a_check_is_no_check_of_the_student_s():
    from cs_vis.checks.points import ended
    before = dict(ended)

    def compute_saliency_maps(X, y, model):
        return None

    with contextlib.redirect_stdout(io.StringIO()), needs("compute_saliency_maps"):
        compute_saliency_maps(X, Y, None).abs()
    assert ended == before


# ---- what is nobody's answer -----------------------------------------------------------------

@pytest.mark.parametrize("error", [ValueError("a slip"), NotImplementedError("no MPS kernel"),
                                   NotImplementedError(), NameError("x", name="x"),
                                   KeyboardInterrupt()])
def test_what_no_function_is_the_reason_for_passes_through(error, capsys):
    from cs_vis.reference.saliency import compute_saliency_maps  # noqa: F401, the block's name
    with pytest.raises(type(error)) as caught, needs("compute_saliency_maps"):
        raise error
    assert caught.value is error and not said(capsys)


def test_a_stub_is_no_reason_for_another_error():
    def occlusion_map(image, y, model):
        raise NotImplementedError

    with pytest.raises(ZeroDivisionError), needs("occlusion_map"):
        1 / 0


def test_pytorch_s_own_not_implemented_is_an_error_of_the_function(capsys):
    def occlusion_map(image, y, model):
        raise NotImplementedError("no MPS kernel")

    with needs("occlusion_map"):
        occlusion_map(X, 1, None)
    assert "Your occlusion_map raised NotImplementedError (no MPS kernel) in line" in said(capsys)


def test_the_innermost_function_is_the_one_that_raised():
    def inner():
        return 1 / 0

    def outer():
        return inner()

    try:
        outer()
    except ZeroDivisionError as error:
        assert raised_in(error, {"inner": inner, "outer": outer, "none": torch.zeros(2)}) == "inner"
        assert raised_in(error, {"outer": outer}) == "outer"
        assert raised_in(error, {}) is None


# ---- long cells ------------------------------------------------------------------------------

def test_steps_is_short_in_the_test_profile_only(monkeypatch):
    monkeypatch.delenv("CS_VIS_PROFILE", raising=False)
    assert steps(100, 5) == 100
    monkeypatch.setenv("CS_VIS_PROFILE", "test")
    assert steps(100, 5) == 5


def test_progress_gives_the_steps_and_keeps_stderr_clean(capsys):
    assert list(progress("abc", "letters")) == ["a", "b", "c"]
    assert capsys.readouterr() == ("", "")


def test_progress_leaves_nothing_in_a_notebook(tmp_path):
    """Not at its end, not after an error, not inside another one."""
    notebook = build.convert(
        "# %%\nfrom cs_vis.notebook import progress\n"
        "# %%\nfor outer in progress(range(2), 'outer'):\n"
        "    for inner in progress(range(3), 'inner'):\n        pass\nprint('done')\n"
        "# %%\ntry:\n    for step in progress(range(3)):\n        1 / 0\n"
        "except ZeroDivisionError:\n    print('stopped')\n")
    build.run(notebook, tmp_path, profile="test")
    nested, stopped = notebook.cells[-2:]
    for cell, words in ((nested, "done\n"), (stopped, "stopped\n")):
        *bars, last = cell.outputs
        assert bars and all(bar.output_type == "display_data" and not bar.data for bar in bars)
        assert (last.name, last.text) == ("stdout", words)


def test_progress_shows_how_far_it_is(monkeypatch):
    from cs_vis import notebook
    shown = []

    class Handle:
        def update(self, data, **kwargs):
            shown.append(data)

    monkeypatch.setattr("cs_vis.cell.in_notebook", lambda: True)
    monkeypatch.setattr("IPython.display.display", lambda data, **kwargs: Handle())
    for number in progress(range(3), "pictures"):
        pass
    words = [data["text/plain"] for data in shown if data]
    assert words and words[0].startswith("pictures:   0%") and "0/3" in words[0]
    assert shown[-1] == {}


def run_of(steps, stop=None, start=0.0):
    """Frames that grow brighter; each has the brightness of the image before it."""
    for number in range(steps):
        if number == stop:
            raise KeyboardInterrupt
        yield Frame(torch.full((1, 3, 8, 8), start + (number + 1) / 10), start + number / 10)


def test_watch_takes_every_run_to_its_end(capsys):
    found = watch({"a": run_of(3), "b": run_of(5)}, 4)
    assert {name: round(image.mean().item(), 4) for name, image in found.items()} == {
        "a": 0.3, "b": 0.5}
    assert capsys.readouterr() == ("", "")


def test_an_interrupt_keeps_what_there_is_and_begins_no_other_run(capsys):
    found = watch({"a": run_of(3), "b": run_of(5, stop=3), "c": run_of(5)}, 4)
    assert {name: round(image.mean().item(), 4) for name, image in found.items()} == {
        "a": 0.3, "b": 0.2}
    assert said(capsys).startswith("Interrupted: 2 of 3 pictures, and the last is the best")
    with pytest.raises(KeyboardInterrupt):  # nothing to keep
        watch({"a": run_of(3, stop=0), "b": run_of(3)}, 3)


def test_watch_shows_the_picture_as_it_grows_and_leaves_nothing(monkeypatch):
    from cs_vis import notebook
    shown = []

    class Handle:
        def update(self, data, **kwargs):
            shown.append(data)

    monkeypatch.setattr("cs_vis.cell.in_notebook", lambda: True)
    monkeypatch.setattr(notebook._LivePicture, "EVERY", 0)
    monkeypatch.setattr("IPython.display.display", lambda data, **kwargs: Handle())
    with pytest.raises(ValueError):
        watch({"a": (Frame(image, 0) for image in (torch.zeros(1, 3, 8, 8), torch.zeros(2)))}, 2)
    watch({"a": run_of(4)}, 4)
    pictures = [data["image/jpeg"] for data in shown if "image/jpeg" in data]
    assert len(set(pictures)) == 5 and shown[-1] == {} == shown[-2]


# ---- the notebooks ---------------------------------------------------------------------------

@pytest.mark.parametrize("name", NAMES)
def test_no_cell_leans_on_what_a_wrong_answer_keeps_from_being_there(name):
    """What is assigned under `with needs(...)` stays in its cell: else a NameError would follow."""
    notebook = build.convert((ROOT / "solutions" / f"{name}.py").read_text(encoding="utf-8"))
    cells = [ast.parse(cell.source) for cell in notebook.cells if cell.cell_type == "code"]
    for number, cell in enumerate(cells):
        mine = given_under_needs(cell)
        for later in cells[number + 1:]:
            assert not mine & wanted(later), f"cell {number}: {sorted(mine & wanted(later))}"


def given_under_needs(cell):
    blocks = [node for node in ast.walk(cell) if isinstance(node, ast.With) and any(
        getattr(getattr(item.context_expr, "func", None), "id", "") == "needs"
        for item in node.items)]
    return {node.id for block in blocks for node in ast.walk(block)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def wanted(cell):
    """Names that a cell reads and does not give itself."""
    names = [node for node in ast.walk(cell) if isinstance(node, ast.Name)]
    given = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    given |= {arg.arg for node in ast.walk(cell) if isinstance(node, ast.arguments)
              for arg in [*node.posonlyargs, *node.args, *node.kwonlyargs]}
    return {node.id for node in names if isinstance(node.ctx, ast.Load)} - given
