"""The feedback page: a function of a graded notebook and its points."""

import re
from html import unescape

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from cs_vis.course import ROOT
from cs_vis.grading import markdown, said
from cs_vis.grading.feedback import Score, page

HIDDEN = ("# Two points: another `x`.\n### BEGIN HIDDEN TESTS\nsecret = 98765\n"
          "assert double(secret) == 2 * secret\n### END HIDDEN TESTS\n")


def error(name, text, traceback=()):
    return new_output("error", ename=name, evalue=text, traceback=list(traceback))


def cell(name, source, *outputs, **roles):
    """A code cell with nbgrader's notes; grade=True is a check, solution=True an answer."""
    noted = {"nbgrader": {"grade_id": name, "grade": False, "solution": False, **roles}}
    return new_code_cell(source, id=name, metadata=noted, outputs=list(outputs))


def notebook(*checked, answer="def double(x):\n    return 2 * x"):
    """One exercise: its text, the answer, a visible check and a hidden test with these outputs."""
    shown, hidden = (*checked, [], [])[:2]
    return new_notebook(cells=[
        new_markdown_cell("# Twice\nFind $2x$ of\n\n$$ x = \\frac{1}{2} $$", id="cell-000"),
        cell("double_solution", answer, solution=True),
        cell("double_check", "check.double(double)", *shown, grade=True),
        cell("double_hidden", HIDDEN, *hidden, grade=True)])


def shown(graded, points=(2, 2), **options):
    scores = {name: Score(got, 2) for name, got in zip(("double_check", "double_hidden"), points)}
    return page(graded, title="Doubling", student="Ada (ada)", scores=scores, **options)


def words(html):
    """The page's text, without style and tags, in single spaces."""
    html = re.sub(r"<style>.*?</style>|<[^>]+>", " ", html.replace("<wbr>", ""), flags=re.S)
    return " ".join(html.split())


def test_the_page_opens_with_a_table():
    graded = notebook([], [error("AssertionError", "for 3 it is 7")])
    text = words(shown(graded, (2, 0)))
    assert text.startswith("Doubling: 2 of 4 Doubling Ada (ada) 2 of 4 points Exercise Points Why "
                           "✗ double 2 / 4 for 3 it is 7")


def test_all_right():
    text = words(shown(notebook()))
    assert "✓ double 4 / 4 right" in text and "✗" not in text
    assert "✓ Another x . (2 of 2)" in text


def test_a_syntax_error_is_the_reason_and_not_the_name_that_is_missing():
    graded = notebook([error("NameError", "name 'double' is not defined")])
    graded.cells[1].outputs = [error("SyntaxError", "expected ':' (7.py, line 1)")]
    assert "✗ double 2 / 4 SyntaxError: expected ':' (line 1)" in unescape(
        words(shown(graded, (0, 2))))
    assert said.reason(graded) == "double: SyntaxError: expected ':' (line 1)"


def test_what_has_not_run_is_not_said_to_have_passed():
    graded = notebook()
    assert said.reason(graded) == "not graded yet: run `nbgrader autograde` again"
    graded.cells[2].execution_count = 3
    assert said.reason(graded) == "all checks passed"


def test_a_long_name_may_break_at_its_underscores():
    graded = notebook()
    graded.cells[2].source = "check.double_a_number(double_a_number)"
    assert ">double_<wbr>a_<wbr>number</a>" in shown(graded)


def test_where_there_was_nothing_to_grade_the_table_is_all():
    nothing = [error(said.NOTHING, "No notebook was handed in.")]
    text = words(shown(notebook(nothing, nothing), (0, 0), remarks=["No notebook was handed in."]))
    assert text.endswith("0 of 4 points No notebook was handed in. Exercise Points Why "
                         "✗ double 0 / 4 nothing to grade")


def test_a_known_mistake_goes_by_its_name():
    sentence, name = next(iter(said.known_mistakes().items()))
    text = words(shown(notebook([error("CheckFailed", f"{sentence}\nMore.")]), (0, 2)))
    assert f"✗ double 2 / 4 {name} " in text
    assert " ".join(sentence.split()) in text.replace("&#39;", "'").replace("&#34;", '"')


def test_hidden_tests_and_what_they_print_are_never_shown():
    outputs = [new_output("stream", text="looking at 98765"),
               error("AssertionError", "another input gives 7", ["assert double(secret) == 98765"])]
    html = shown(notebook([], outputs), (2, 0))
    assert "another input gives 7" in html
    assert "secret" not in html and "98765" not in html


def test_points_given_by_hand_late_days_comments_and_remarks():
    graded = notebook([error("NotSolved", "write it")])
    html = shown(graded, (1, 2), penalty=1.5, remarks=["The cell `double_check` is ours."],
                 comments={"double_solution": "Nearly! See $x^2$, <b>not</b> x."})
    text = words(html)
    assert "1.5 of 4 points The cell double_check is ours." in text
    assert "✗ double 3 / 4 points given by hand" in text
    assert "✗ Handed in late −1.5 points off for lateness" in text
    assert "<msup>" in html and "&lt;b&gt;not" in html


def test_what_a_person_has_yet_to_read():
    essay = cell("why_answer", "Because.", grade=True, solution=True)
    html = page(new_notebook(cells=[essay]), title="t", student="s",
                scores={"why_answer": Score(0, 3, waits=True)})
    assert "why 0 / 3 still to be read" in words(html) and "Because" in html


def test_a_students_own_cells_are_shown_and_cannot_act():
    graded = notebook(answer="x = '<script>alert(1)</script>'")
    graded.cells[2:2] = [
        new_markdown_cell("Mine: <img src=x onerror=alert(2)> [here](javascript:alert(3))",
                          id="extra-001"),
        new_code_cell("1", id="extra-002", outputs=[
            new_output("display_data", {"text/html": "<script>alert(4)</script>",
                                        "text/plain": "a plain word"}),
            new_output("display_data", {"image/png": 'aGk="><script>'})])]
    html = shown(graded)
    assert "<script" not in html and "<img src=x" not in html and "javascript:" not in html
    assert "a plain word" in html and 'src="data:image/png;base64,aGk=' in html


def test_the_courses_cells_are_shown_only_where_they_drew_or_failed():
    graded = notebook()
    look = {"tags": ["look"]}
    graded.cells += [
        new_code_cell("plots.show(secret_look)", id="cell-009", metadata=look, outputs=[
            new_output("display_data", {"image/jpeg": "aGk="})]),
        new_code_cell("print(1)", id="cell-010", metadata=look, outputs=[
            new_output("stream", text="said by the course")])]
    html = shown(graded)
    assert "data:image/jpeg;base64,aGk=" in html
    assert "secret_look" not in html and "said by the course" not in html


def test_an_error_is_placed_in_the_students_cell_without_paths():
    lines = ["\x1b[0;31m-----", "Cell \x1b[0;32mIn[3], line 2\x1b[0m\n----> 2 open('x')",
             "File /home/grader/.venv/lib/python3.11/site-packages/torch/x.py:12, in f(x)\n 12 y",
             "OSError: no"]
    graded = notebook()
    graded.cells[1].outputs = [error("OSError", "no file /home/grader/course/data.png", lines),
                               new_output("stream", name="stderr", text="/tmp/ipykernel_7/89.py:3: "
                                          "UserWarning: mind\n 10%\r 100%")]
    text = words(shown(graded))
    assert "OSError: no file …/data.png line 2 ----&gt; 2 open(&#39;x&#39;)" in text
    assert "line 3: UserWarning: mind 100%" in text
    assert "/home" not in text and "torch" not in text and "ipykernel" not in text


@pytest.mark.parametrize("before, after", [
    ("invalid syntax (4711.py, line 3)", "invalid syntax (line 3)"),
    ("from 'cs_vis' (/srv/course/cs_vis/__init__.py)", "from 'cs_vis' (…/__init__.py)"),
    (r"C:\Users\me\notes.txt is not there", "…/notes.txt is not there"),
    ("'/srv/my files/a.png'", "'…/a.png'"),
    ("an average of 3/4/5, see https://pytorch.org/docs/stable", None), ("1 / 2 / 3 and/or", None)])
def test_paths_are_left_out_and_nothing_else(before, after):
    assert said.without_paths(before) == (after or before)


def test_a_long_output_ends():
    graded = notebook()
    graded.cells[1].outputs = [new_output("stream", text="word " * 100_000)]
    html = shown(graded)
    assert len(html) < 60_000 and "… and so on" in html


def test_the_task_is_there_with_its_formulas_and_fetches_nothing():
    html = shown(notebook())
    assert "What was asked" in html and html.count("<math") == 2 and "<mfrac>" in html
    assert not re.search(r'(?:src|href)="(?!#|data:)|<script|@import|url\(', html)


def test_every_formula_of_the_course_becomes_mathml():
    for file in ROOT.glob("notebooks/*/*.ipynb"):
        texts = [cell.source for cell in nbformat.read(file, as_version=4).cells
                 if cell.cell_type == "markdown"]
        html = "".join(markdown.to_html(text, trusted=True) for text in texts)
        assert html.count("<math") >= sum(text.count("$$") // 2 for text in texts) > 0
        assert "$" not in html and "\\" not in re.sub(r"<code>.*?</code>", "", html, flags=re.S)


@pytest.mark.parametrize("text, inside", [
    ("$\\foo{$", "<code>\\foo{</code>"), ("![q](attachment:none.png)", "q</a>"),
    ("![q](http://example.org/x.png)", '<a href="http://example.org/x.png">q</a>'),
    ("\\begin{align} a &= b \\end{align}", "<mtable"), ("<i>x</i>", "&lt;i&gt;")])
def test_what_students_and_graders_write_never_fails_or_fetches(text, inside):
    assert inside in markdown.to_html(text)


def test_an_attached_picture_is_shown():
    html = markdown.to_html("![q](attachment:a.png)", attachments={"a.png": {"image/png": "aGk="}})
    assert '<img src="data:image/png;base64,aGk=" alt="q">' in html
