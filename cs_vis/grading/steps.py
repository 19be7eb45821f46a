"""Our steps in nbgrader's three commands; nbgrader_config.py says where each one stands."""

from pathlib import Path

import nbformat
from nbclient.exceptions import DeadKernelError
from nbconvert.exporters import NotebookExporter
from nbformat import from_dict
from nbformat.v4 import new_markdown_cell, new_output
from nbgrader import utils
from nbgrader.api import Gradebook
from nbgrader.preprocessors import Execute, NbGraderPreprocessor

from cs_vis import __version__
from cs_vis.cells import place
from cs_vis.grading import submitted
from cs_vis.grading.rebuild import rebuild
from cs_vis.grading.said import NOTHING, TOO_LATE

MAY_FAIL = "raises-exception"
REMARKS = "remarks"  # the id of the cell that says what the grader did


class TagChecks(NbGraderPreprocessor):
    """generate_assignment: let "Run all" go on after a check that fails, and after an answer that
    Python cannot read.

    Only the release has the tag: in the executed solution a failing check must stop the tests.
    """

    def preprocess_cell(self, cell, resources, index):
        if cell.cell_type == "code" and (utils.is_grade(cell) or utils.is_solution(cell)):
            cell.metadata.tags = [*cell.metadata.get("tags", []), MAY_FAIL]
        return cell, resources


class StampVersion(NbGraderPreprocessor):
    """generate_assignment: note the course's version in place of what a build noted for itself.

    A submission that brings another version with it was made from another notebook.
    """

    def preprocess(self, nb, resources):
        nb.metadata.cs_vis = from_dict({"version": __version__})
        return nb, resources


class SubmissionExporter(NotebookExporter):
    """autograde: read what students hand in, whatever that is (cs_vis.grading.submitted)."""

    def from_filename(self, filename, resources=None, **kwargs):
        folder, name = Path(filename).parent, Path(filename).stem
        work = submitted.read(folder, name)
        resources = {**(resources or {}), "work": work,
                     "metadata": {"name": name, "path": str(folder)}}
        return self.from_notebook_node(work.notebook, resources=resources, **kwargs)


class Rebuild(NbGraderPreprocessor):
    """autograde: put the student's answers into the notebook that was handed out.

    The locked cells come from the gradebook, which has their hidden tests. What is to be said
    goes into the metadata for the feedback, and into a cell for those who look at the notebook.
    """

    def preprocess(self, nb, resources):
        names, work = resources["nbgrader"], resources["work"]
        release = read_release(self.parent.parent.coursedir, names["assignment"])
        rebuilt, remarks = rebuild(release, nb)
        remarks = [work.nothing] if work.nothing else work.remarks + remarks
        with Gradebook(names["db_url"]) as gradebook:
            known = gradebook.find_notebook(names["notebook"], names["assignment"])
            locked = {cell.name: cell.source for cell in known.source_cells if cell.locked}
        for cell in rebuilt.cells:
            cell.source = locked.get(place(cell), cell.source)
        rebuilt.metadata.cs_vis = from_dict({**rebuilt.metadata.get("cs_vis", {}),
                                             "remarks": remarks, "nothing": work.nothing})
        if remarks:
            lines = "\n".join(f"- {line}" for line in remarks)
            note = new_markdown_cell(f"**From the grader**\n\n{lines}", id=REMARKS)
            rebuilt.cells.insert(0, note)
        return rebuilt, resources


def read_release(coursedir, name):
    """The notebook of an assignment as it was handed out."""
    folder = Path(coursedir.format_path(coursedir.release_directory, ".", name))
    return nbformat.read(folder / f"{name}.ipynb", as_version=4)


class Run(Execute):
    """autograde: run the notebook; where its kernel dies, the cells from there on fail.

    Where there is nothing to grade, every check fails without a run.
    """

    def preprocess(self, nb, resources=None, km=None):
        self.dead = False
        if nothing := nb.metadata.get("cs_vis", {}).get("nothing"):
            for cell in nb.cells:
                if utils.is_grade(cell) and cell.cell_type == "code":
                    cell.outputs = [failure(NOTHING, nothing)]
            return nb, resources
        return super().preprocess(nb, resources, km)

    def preprocess_cell(self, cell, resources, index):
        try:
            if not self.dead:
                cell, resources = super().preprocess_cell(cell, resources, index)
                return without_interrupt(cell), resources
        except DeadKernelError:
            self.dead = True
        if cell.cell_type == "code":
            sentence = "The kernel died, so this cell could not run."
            cell.outputs = [failure("DeadKernelError", sentence)]
        return cell, resources


class PassOrFail(NbGraderPreprocessor):
    """autograde: a check passes unless it raises; what it printed, warned or returned is no grade.

    nbgrader itself takes any text on stderr, a mere warning too, for a failure, and the value
    of the last line for points.
    """

    def preprocess_cell(self, cell, resources, index):
        if utils.is_grade(cell) and cell.cell_type == "code":
            cell.outputs = [out for out in cell.outputs if out.output_type != "execute_result"]
            for output in cell.outputs:
                if output.get("name") == "stderr":
                    output.name = "stdout"
        return cell, resources


def without_interrupt(cell):
    """A cell that ran too long, with the sentence on it alone, not where it was interrupted."""
    if late := [out for out in cell.get("outputs", []) if out.get("ename") == TOO_LATE]:
        cell.outputs = late
    return cell


def failure(name, sentence):
    """An error output that shows one sentence and no traceback."""
    return new_output("error", ename=name, evalue=sentence, traceback=[f"{name}: {sentence}"])


def time_limit(cell, check=30, other=90) -> int:
    """Seconds a cell may run: checks are quick, while a set-up cell imports a lot."""
    return check if utils.is_grade(cell) else other
