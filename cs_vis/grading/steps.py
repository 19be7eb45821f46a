"""Our steps in nbgrader's three commands; nbgrader_config.py says where each one stands."""

from pathlib import Path

import nbformat
from nbclient.exceptions import DeadKernelError
from nbconvert.exporters import NotebookExporter
from nbformat.v4 import new_markdown_cell, new_notebook, new_output
from nbgrader import utils
from nbgrader.preprocessors import ClearHiddenTests, Execute, NbGraderPreprocessor

from cs_vis.grading.rebuild import rebuild

MAY_FAIL = "raises-exception"


class TagChecks(NbGraderPreprocessor):
    """generate_assignment: let "Run all" go on after a check that fails.

    Only the release has the tag: in the executed solution a failing check must stop the tests.
    """

    def preprocess_cell(self, cell, resources, index):
        if utils.is_grade(cell) and cell.cell_type == "code":
            cell.metadata.tags = [*cell.metadata.get("tags", []), MAY_FAIL]
        return cell, resources


class ForgetFigures(NbGraderPreprocessor):
    """generate_assignment: what a build noted of the texts' numbers is no matter of students."""

    def preprocess(self, nb, resources):
        nb.metadata.pop("cs_vis", None)
        return nb, resources


class SubmissionExporter(NotebookExporter):
    """autograde: read what students hand in; a file that is no notebook becomes an empty one."""

    def from_file(self, file_stream, resources=None, **kwargs):
        try:
            notebook = nbformat.read(file_stream, as_version=4)
            notebook.cells = [cell for cell in notebook.cells if isinstance(cell, dict)]
        except Exception as error:  # a broken file may break the reader in any way
            notebook = new_notebook(metadata={"unreadable": type(error).__name__})
        return self.from_notebook_node(notebook, resources=resources, **kwargs)


class Rebuild(NbGraderPreprocessor):
    """autograde: put the student's answers into the notebook that was handed out."""

    def preprocess(self, nb, resources):
        names = resources["nbgrader"]
        coursedir = self.parent.parent.coursedir
        folder = coursedir.format_path(coursedir.release_directory, ".", names["assignment"])
        release = nbformat.read(Path(folder) / f"{names['notebook']}.ipynb", as_version=4)
        rebuilt, remarks = rebuild(release, nb)
        if "unreadable" in nb.metadata:
            remarks = ["This file could not be read as a notebook: open it in Jupyter, "
                       "save it again and hand it in once more."]
        if remarks:
            lines = "\n".join(f"- {line}" for line in remarks)
            note = new_markdown_cell(f"**From the grader**\n\n{lines}", id="remarks")
            rebuilt.cells.insert(0, note)
        return rebuilt, resources


class Run(Execute):
    """autograde: run the notebook; where its kernel dies, the cells from there on fail."""

    def preprocess(self, nb, resources=None, km=None):
        self.dead = False
        return super().preprocess(nb, resources, km)

    def preprocess_cell(self, cell, resources, index):
        try:
            if not self.dead:
                return super().preprocess_cell(cell, resources, index)
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


class HideTests(ClearHiddenTests):
    """generate_feedback: show how a hidden test ended, but neither the test nor its traceback.

    Pictures that were not drawn for grading are left out.
    """

    def preprocess(self, nb, resources):
        nb.cells = [cell for cell in nb.cells
                    if "look" not in cell.metadata.get("tags", []) or cell.get("outputs")]
        return super().preprocess(nb, resources)

    def preprocess_cell(self, cell, resources, index):
        if self._remove_hidden_test_region(cell):
            cell.outputs = [failure(out.ename, out.evalue) for out in cell.outputs
                            if out.output_type == "error"]
        return cell, resources


def failure(name, sentence):
    """An error output that shows one sentence and no traceback."""
    return new_output("error", ename=name, evalue=sentence, traceback=[f"{name}: {sentence}"])


def time_limit(cell, check=30, other=90) -> int:
    """Seconds a cell may run: checks are quick, while a set-up cell imports a lot."""
    return check if utils.is_grade(cell) else other
