"""The list of students: read whole, or refused in a sentence that names the line."""

import os
import sys

import pytest
from nbgrader.api import Gradebook

from cs_vis.grading import roster

HEAD = "id,first_name,last_name,email,lms_user_id\n"


def listed(folder, content):
    file = folder / "students.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def test_a_list_is_read_in_its_order(tmp_path):
    content = ('\ufefflast_name, id ,email\r\n"Lovelace, Countess", ada ,ada@example.org\r\n'
               "\r\nTuring,alan,\r\n")
    assert list(roster.read(listed(tmp_path, content)).items()) == [
        ("ada", {"last_name": "Lovelace, Countess", "email": "ada@example.org"}),
        ("alan", {"last_name": "Turing", "email": None})]


def test_no_file_is_an_empty_list(tmp_path):
    assert roster.read(tmp_path / "students.csv") == {}


@pytest.mark.parametrize("content, sentence", [
    ("", "^students.csv names no students: its first line names the columns"),
    (HEAD, "^students.csv names no students"),
    ("id;first_name\nada;Ada\n", "line 1: 'id;first_name' is no column; .* separate them by"),
    ("id,firstname\nada,Ada\n", "line 1: 'firstname' is no column; .* rename it, or leave"),
    ("first_name,email\nAda,a@b\n", "line 1: the columns are first_name, email; there must be one "
                                    "called id"),
    ("id,email,email\nada,a,b\n", "line 1: .* none twice"),
    (HEAD + "ada,Ada,Lovelace,a@b,1\nalan,Turing,t@b,2\n",
     "line 3: 4 fields, but the first line names 5 columns; is there a comma too many or too few"),
    (HEAD + "\n,Ada,Lovelace,a@b,1\n", "line 3: id='' cannot name a student"),
    (HEAD + "../ada,Ada,Lovelace,a@b,1\n", r"line 2: id='\.\./ada' cannot name a student"),
    (HEAD + "ada,A,L,a@b,1\nalan,A,T,t@b,2\nada,A,B,c@d,3\n",
     "line 4: id='ada' is there a second time; give each student one line"),
    (HEAD + 'ada,"Ada,Lovelace,a@b,1\n', 'line 2: .*close them'),
    ((HEAD + "ada,Ada,Lovelace,a@b,1\nandre,André,A,b@c,2\n").encode("latin1"),
     'line 3: this is not UTF-8; save the list as "CSV UTF-8"'),
])
def test_a_broken_list_is_refused_with_its_line(tmp_path, content, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        roster.read(listed(tmp_path, content))
    assert str(caught.value).startswith("students.csv")


def test_names_go_into_the_gradebook_and_points_stay(tmp_path, monkeypatch):
    here = os.path.dirname(sys.executable)  # nbgrader calls alembic by name
    monkeypatch.setenv("PATH", os.pathsep.join([here, os.environ["PATH"]]))
    students = {"ada": {"first_name": "Ada", "last_name": "Lovelace", "email": None}}
    with Gradebook(f"sqlite:///{tmp_path / 'gradebook.db'}") as gradebook:
        gradebook.add_assignment("01_toy")
        gradebook.add_student("ada", first_name="A.")
        gradebook.add_submission("01_toy", "ada")
        roster.enter(gradebook, students)
        ada, = gradebook.students
        assert (ada.first_name, ada.last_name, len(ada.submissions)) == ("Ada", "Lovelace", 1)


@pytest.mark.parametrize("row, name", [
    (None, ""), ({}, ""), ({"first_name": "Hypatia", "last_name": None}, "Hypatia"),
    ({"first_name": "Ada", "last_name": "Lovelace"}, "Ada Lovelace")])
def test_full_name(row, name):
    assert roster.full_name(row) == name
