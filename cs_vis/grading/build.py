"""From solutions/NN_topic.py to the executed solution and the notebook that students get."""

import os
import re
import tempfile
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell

from cs_vis import __version__
from cs_vis.grading import prose, stock
from cs_vis.course import ROOT, find_assignment

LIMIT = 2_500_000  # bytes of an executed solution: what a git repository carries gladly
ROLES = {"schema_version": 3, "grade": False, "locked": False, "solution": False, "task": False}
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python",
                      "nbconvert_exporter": "python", "pygments_lexer": "ipython3"}}
# What would change the outputs; with matplotlib's Agg, figures are not shown.
DRAWS = ("CS_VIS_PROFILE", "CS_VIS_WEIGHTS", "CS_VIS_NETWORK", "CS_VIS_PHOTOS", "MPLBACKEND")
WIDGET = "application/vnd.jupyter.widget-view+json"
# The first code cell of every notebook that imports cs_vis. VERSION is filled in; what Colab
# needs goes before `try`. Only a student without the package, or with another, sees it speak.
FIRST_CELL = '''\
# This notebook goes with cs_vis VERSION, the course's package.
try:
    from cs_vis.notebook import made_for
except ImportError as error:
    error._render_traceback_ = lambda: [  # what to do, in place of a traceback
        "Put cs_vis-VERSION-py3-none-any.whl beside this notebook, run",
        "%pip install cs_vis-VERSION-py3-none-any.whl",
        "in a cell of your own, restart the kernel, and run this cell again."]
    raise
made_for("VERSION")'''


def build(name: str, *, execute: bool = True, root: Path = ROOT) -> tuple[Path, Path]:
    """Build one assignment: the paths of the executed solution and of the students' notebook.

    With execute=False the outputs of the existing solution are kept. Nothing in the files
    depends on the day or on the environment: the same source gives the same students' notebook
    to the byte, anywhere, and the same executed solution on the same machine and packages. On
    others, sums are rounded otherwise, so a last digit or the grain of a picture may differ.
    """
    solution = build_solution(name, execute=execute, root=root)
    released = Path(root, "notebooks", name, f"{name}.ipynb")
    with tempfile.TemporaryDirectory() as folder:
        workspace = stock.make_workspace(folder, name, root=root)
        stock.generate_assignment(workspace, name)
        put(released, (workspace / "notebooks" / name / released.name).read_bytes())
    return solution, released


def build_solution(name: str, *, execute: bool = True, root: Path = ROOT) -> Path:
    """solutions/NAME.py (jupytext, percent format) to solutions/NAME/NAME.ipynb.

    Its metadata keep the numbers that the texts must give, and what these come from. Raises
    ValueError where a text gives others (cs_vis.grading.prose).
    """
    points = find_assignment(name, root)["points"]
    source = Path(root, "solutions", f"{name}.py")
    if not source.is_file():
        raise FileNotFoundError(f"assignment={name!r} has no source: {source} is missing")
    target = source.with_suffix("") / f"{name}.ipynb"
    text = source.read_text(encoding="utf-8")
    notebook = convert(text, figures=True)
    check_points(notebook, points)
    of = prose.stands_on(notebook)
    figures = run_all(notebook, target) if execute else keep_all(notebook, target, of)
    if figures:
        notebook.metadata.cs_vis = nbformat.from_dict({"figures": figures, "of": of})
    write(notebook, target)  # first, so that no run is lost for a text that is behind it
    if figures:
        prose.confirm(text, figures, name)
    return target


def run_all(notebook, target: Path) -> list[list[str]]:
    """Execute the notebook, take its cells of figures out, and return what they ended in."""
    run(notebook, target.parent)
    return [prose.fragments(cell) for cell in prose.take_out(notebook)]


def keep_all(notebook, target: Path, of: dict) -> list[list[str]]:
    """The same without a run: outputs and figures of the last one, as far as they still hold."""
    prose.take_out(notebook)
    if not target.is_file():
        return []
    old = nbformat.read(target, as_version=4)
    keep_outputs(notebook, old)
    return prose.kept(old, of)


def convert(text: str, *, figures: bool = False):
    """The notebook of a percent script, with ids and metadata that are the same every time.

    figures=True keeps the cells that check the texts' numbers; no notebook is written with them.
    """
    notebook = jupytext.reads(text, fmt="py:percent")
    notebook.metadata = nbformat.from_dict(METADATA)
    notebook.nbformat, notebook.nbformat_minor = 4, 5  # the first format whose cells have ids
    seen = [cell for cell in notebook.cells if not prose.is_figures(cell)]
    if not figures:
        notebook.cells = seen
    for index, cell in enumerate(seen):
        roles, tags = cell.metadata.get("nbgrader"), cell.metadata.get("tags", [])
        cell.metadata = nbformat.from_dict({})
        cell.id = f"cell-{index:03d}"
        if roles:
            cell.metadata.nbgrader = nbformat.from_dict({**ROLES, **roles})
            cell.id = roles["grade_id"]
        # The release adds this one itself: here a check that fails must stop the build.
        if tags := [tag for tag in tags if tag != "raises-exception"]:
            cell.metadata.tags = tags
    if any(re.search(r"^(from|import) cs_vis\b", cell.source, re.M) for cell in seen
           if cell.cell_type == "code"):
        put_first_cell(notebook)
    return notebook


def put_first_cell(notebook) -> None:
    """Put FIRST_CELL before all other code; the ids of the other cells stay as they are."""
    metadata = {"nbgrader": {**ROLES, "grade_id": prose.FIRST, "locked": True}, "tags": ["setup"]}
    cell = new_code_cell(FIRST_CELL.replace("VERSION", __version__), id=prose.FIRST,
                         metadata=nbformat.from_dict(metadata))
    place = next(i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code")
    notebook.cells.insert(place, cell)


def check_points(notebook, points: float) -> None:
    """Refuse a notebook whose graded cells do not add up, or whose grade_ids are not unique."""
    roles = [cell.metadata.nbgrader for cell in notebook.cells if "nbgrader" in cell.metadata]
    total = sum(role.points for role in roles if role.grade)
    if total != points:
        raise ValueError(f"points={points} in course.toml, but the graded cells sum to {total}: "
                         f"make the two agree")
    names = [role.grade_id for role in roles]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"grade_id={twice[0]!r} stands on two cells: each needs its own")


def run(notebook, folder: Path, profile: str = "full") -> None:
    """Execute the notebook in place, in `folder`, stopping at the first error.

    profile="test" takes fewer steps (cs_vis.notebook), whatever the environment says.
    """
    folder.mkdir(parents=True, exist_ok=True)
    client = NotebookClient(
        notebook, kernel_name="python3", timeout=900, record_timing=False, force_raise_errors=True,
        store_widget_state=False, extra_arguments=["--IPKernelApp.log_level=ERROR"],
        resources={"metadata": {"path": str(folder)}})
    try:
        client.execute(env=environment(profile))
    except CellExecutionError as error:  # it quotes the cell and its traceback: enough to mend it
        raise RuntimeError(f"the solution does not run, so nothing was built. {error}") from None
    notebook.metadata = nbformat.from_dict(METADATA)  # the kernel wrote its version there
    for cell in notebook.cells:
        if cell.cell_type == "code":
            # A widget without its kernel is an empty box with a random name.
            cell.outputs = [out for out in cell.outputs if WIDGET not in out.get("data", {})]


def environment(profile: str) -> dict[str, str]:
    """This process's environment without the variables that would change what is drawn."""
    kept = {name: value for name, value in os.environ.items() if name not in DRAWS}
    return {**kept, "CS_VIS_PROFILE": profile}


def keep_outputs(notebook, old) -> None:
    """Give each code cell the outputs it had in `old`; a cell that has changed has none.

    The first cell only names another version where that has changed, and keeps what it had.
    """
    def key(cell):
        return cell.id if cell.id == prose.FIRST else cell.source

    known = {key(cell): cell for cell in old.cells if cell.cell_type == "code"}
    for cell in notebook.cells:
        if cell.cell_type == "code" and key(cell) in known:
            cell.outputs = known[key(cell)].outputs
            cell.execution_count = known[key(cell)].execution_count


def write(notebook, target: Path) -> None:
    """Write the notebook, unless it is invalid or too large for the repository."""
    nbformat.validate(notebook)
    content = (nbformat.writes(notebook) + "\n").encode()
    if len(content) > LIMIT:
        raise ValueError(f"{target.name} has {len(content):,} bytes of the {LIMIT:,} allowed: "
                         f"draw smaller figures, or show photographs as JPEG")
    put(target, content)


def put(target: Path, content: bytes) -> None:
    """Write the file; one that is right already is left alone, for others may be reading it."""
    if not target.is_file() or target.read_bytes() != content:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
