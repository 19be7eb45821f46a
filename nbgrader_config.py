"""nbgrader for this course: `nbgrader autograde 03_saliency` and the like, in this folder."""

import os
import sys
import warnings

from nbgrader import preprocessors as stock

try:
    from cs_vis.course import read_course
    from cs_vis.grading import commands, steps
except ImportError as error:  # nbgrader would go on, and grade by its own rules
    sys.exit(f"nbgrader_config.py: {error}. Run `make setup`, and nbgrader with .venv active.")

c = get_config()  # noqa: F821, nbgrader defines it

# nbgrader calls `alembic` by name: it must be found also where .venv is not activated.
os.environ["PATH"] = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])

warnings.filterwarnings("ignore", module="nbgrader")  # its own, on its own database

# Which submissions there are, and whether the gradebook fits, is asked before anything is touched.
commands.take_over()

c.CourseDirectory.course_id = read_course()["id"]
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "notebooks"
# nbgrader copies every other file of an assignment's folder along. A stray module must neither
# be handed out with a solution in it nor, handed in, stand before the real one on the path.
c.CourseDirectory.ignore = [
    ".ipynb_checkpoints", "__pycache__", "feedback", "*.py", "*.pyc", "*.so"]

# generate_assignment: notebooks/ is committed, and must not make nbgrader skip the assignment
c.GenerateAssignment.force = True
c.ClearSolutions.code_stub = {"python": "raise NotImplementedError  # your code here"}
c.ClearSolutions.text_stub = "*Click here twice, and write your answer in place of this line.*"
c.GenerateAssignment.preprocessors = [
    stock.LockCells, stock.ClearSolutions, stock.ClearOutput, steps.TagChecks,
    steps.StampVersion, stock.CheckCellMetadata, stock.ComputeChecksums, stock.SaveCells,
    stock.ClearHiddenTests, stock.ComputeChecksums, stock.CheckCellMetadata]

# autograde: nothing but the student's own cells is taken from a submission (Rebuild), so only
# the course's tags are left, and its pictures ("look") need not be drawn again.
c.Autograde.exporter_class = steps.SubmissionExporter
c.Autograde.sanitize_preprocessors = [
    steps.Rebuild, stock.ClearOutput, stock.OverwriteKernelspec, stock.OverwriteCells,
    stock.CheckCellMetadata]
c.Autograde.autograde_preprocessors = [
    steps.Run, steps.PassOrFail, stock.LimitOutput, stock.SaveAutoGrades,
    stock.AssignLatePenalties, stock.CheckCellMetadata]
c.Execute.skip_cells_with_tag = "look"
c.Execute.timeout_func = steps.time_limit  # of each cell: a check has 30 seconds, others 90
c.Execute.error_on_timeout = {
    "ename": steps.TOO_LATE, "traceback": [],
    "evalue": "This cell ran longer than the time limit. Does a loop in it never end?"}
c.Execute.extra_arguments = ["--IPKernelApp.log_level=ERROR"]  # warns of itself on each start
c.Execute.shutdown_kernel = "immediate"  # a quarter of the time of a small notebook

# generate_feedback: our own page, which needs no network and shows no hidden test
c.GenerateFeedback.exporter_class = commands.FeedbackExporter
c.GenerateFeedback.preprocessors = []

# export: grades.csv says why, too
c.ExportApp.plugin_class = commands.Export
