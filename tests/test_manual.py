"""A question that a person marks: handed out as an invitation to write, and seen in formgrader."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from nbgrader.api import Gradebook
from test_build import NAME, change, copy_toy, released, solved
from test_stock import FAST, cell_of, hand_in, right

from cs_vis.checks import points
from cs_vis.grading import build, stock

QUESTION = '''
# %% [markdown] nbgrader={"grade_id": "why_answer", "grade": true, "solution": true, "points": 2}
# **Your answer.**
#
# <!-- ### BEGIN SOLUTION -->
# Twice is one more than once.
# <!-- ### END SOLUTION -->
'''
LAST = '[f"half of 5 will be {half(5):.2f}"]'
ANSWER = "**Your answer.** Because $2x = x + x$, I <b>think</b>."


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    root = copy_toy(tmp_path_factory.mktemp("manual") / "course")
    change(root, LAST, LAST + "\n" + QUESTION)
    listed = root / "course.toml"
    listed.write_text(listed.read_text().replace("points = 5", "points = 7"))
    build.build(NAME, root=root)
    return root


@pytest.fixture(scope="module")
def graded(course, tmp_path_factory):
    """A workspace where one student has answered, and another has left the line as it was."""
    workspace = stock.make_workspace(tmp_path_factory.mktemp("work"), NAME, root=course)
    stock.generate_assignment(workspace, NAME)
    answered, silent = (right(released(workspace)) for _ in range(2))
    cell_of(answered, "why_answer").source = ANSWER
    for student, notebook in (("ada", answered), ("bob", silent)):
        hand_in(workspace, student, json.dumps(notebook).encode())
    return workspace, {grade.student: grade for grade in stock.grade_class(workspace, NAME, **FAST)}


def test_the_release_invites_and_the_solution_answers(course):
    source = cell_of(released(course), "why_answer").source
    assert source.startswith("**Your answer.**") and "one more" not in source
    assert "write your answer in place of this line" in source and "SOLUTION" not in source
    assert "Twice is one more than once." in cell_of(solved(course), "why_answer").source


def test_who_answered_waits_and_who_did_not_has_nothing_to_wait_for(graded):
    _, grades = graded
    assert grades["ada"] == ("ada", 5, 7, "all checks passed; 2 points wait for a person")
    assert grades["bob"] == ("bob", 5, 7, "all checks passed")


def test_feedback_shows_the_answer_and_that_it_waits(graded):
    workspace, _ = graded
    page = (workspace / "feedback" / "ada" / NAME / f"{NAME}.html").read_text()
    assert "Because <math" in page and "<b>think</b>" not in page
    assert "<td>still to be read" in page
    silent = (workspace / "feedback" / "bob" / NAME / f"{NAME}.html").read_text()
    assert "<td>not answered" in silent


def test_points_by_hand_count_and_nothing_waits_any_more(graded):
    workspace, _ = graded
    with Gradebook(f"sqlite:///{workspace / 'gradebook.db'}") as held:
        held.find_grade("why_answer", NAME, NAME, "ada").manual_score = 1.5
        held.db.commit()
    assert stock.grade_one(workspace, NAME, "ada", FAST)[1:3] == (6.5, 7)
    with Gradebook(f"sqlite:///{workspace / 'gradebook.db'}") as held:
        held.find_grade("why_answer", NAME, NAME, "ada").manual_score = None
        held.db.commit()


def test_the_student_is_told_that_a_person_reads_it(course, monkeypatch):
    monkeypatch.setattr(points, "notebook_file",
                        lambda name: course / "notebooks" / name / f"{name}.ipynb")
    assert "2 by a person who reads your answers" in points.table(NAME, ["double"])


@pytest.fixture
def formgrader(graded):
    """The address of formgrader on the graded class, from a real server."""
    workspace, _ = graded
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyter", "server", "--no-browser", f"--port={port}",
         "--ip=127.0.0.1", "--allow-root", "--ServerApp.token=", "--ServerApp.password=",
         "--ServerApp.jpserver_extensions={'nbgrader.server_extensions.formgrader': True}"],
        cwd=workspace, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        env=os.environ | {"JUPYTER_RUNTIME_DIR": str(workspace / "runtime")})
    yield f"http://127.0.0.1:{port}/formgrader"
    server.terminate()
    server.communicate(timeout=20)


def opened(address, patience=60):
    """The page, as soon as the server answers."""
    until = time.monotonic() + patience
    while True:
        try:
            return urlopen(address, timeout=30).read().decode()
        except URLError as error:
            if time.monotonic() > until or getattr(error, "code", 0) not in (0, 502, 503):
                raise
            time.sleep(0.3)


def test_formgrader_lists_the_answer_and_shows_it(formgrader):
    listed = json.loads(opened(f"{formgrader}/api/submitted_notebooks/{NAME}/{NAME}"))
    waits = {entry["student"]: entry["needs_manual_grade"] for entry in listed}
    assert waits == {"ada": True, "bob": False}
    ada, = (entry for entry in listed if entry["student"] == "ada")
    assert (ada["score"], ada["max_score"], ada["max_written_score"]) == (5, 7, 2)
    page = opened(f"{formgrader}/submissions/{ada['id']}/")
    assert re.search(r"Because \$2x = x \+ x\$", page)
    assert 'id="why_answer"' in page or "why_answer" in page
