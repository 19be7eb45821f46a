"""The feedback page: a table of points and reasons, then each exercise with what was said of it.

One renderer for every way of grading: `page` is a function of a graded notebook and its points.
"""

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NamedTuple

import jinja2
from markupsafe import Markup, escape
from nbgrader import utils
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from cs_vis.grading import said
from cs_vis.grading.markdown import to_html
from cs_vis.grading.rebuild import OWN

TEMPLATE = Path(__file__).with_name("feedback.html.j2")
LONGEST = 4000  # characters of one output
PICTURES = ("image/png", "image/jpeg")
HIDDEN = re.compile(r"^[^\n]*BEGIN HIDDEN TESTS.*?(?:END HIDDEN TESTS[^\n]*|\Z)", re.M | re.S)
WRAPPED = re.compile(r"^(.{75,})\n(?=[^\s✓✗])", re.M)  # a long line that goes on in the next


class Score(NamedTuple):
    """What a graded cell got; `waits` until a person has read it, `given` by one."""
    points: float
    maximum: float
    waits: bool = False
    given: bool = False


class Verdict(NamedTuple):
    """One graded cell: what it tried, its points, and what it said."""
    tries: str
    score: Score
    line: str  # empty where it passed
    said: str


class Part(NamedTuple):
    """A student's cell, or the pictures of one of the course's: its HTML and its outputs."""
    html: str
    outputs: list


@dataclass
class Exercise:
    name: str
    task: str = ""  # HTML
    parts: list[Part] = field(default_factory=list)
    later: list[Part] = field(default_factory=list)  # after its checks
    verdicts: list[Verdict] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)  # HTML
    unreadable: str = ""  # the answer's syntax error

    @property
    def points(self) -> float:
        return sum(verdict.score.points for verdict in self.verdicts)

    @property
    def maximum(self) -> float:
        return sum(verdict.score.maximum for verdict in self.verdicts)

    @property
    def why(self) -> str:
        """The line in the table: the first failure, unless a person decided."""
        if any(verdict.score.waits for verdict in self.verdicts):
            return "still to be read"
        failures = [verdict.line for verdict in self.verdicts if verdict.line]
        if self.points != sum(v.score.maximum for v in self.verdicts if not v.line):
            return "points given by hand"
        return (self.unreadable or failures[0]) if failures else "right"


def page(notebook, *, title: str, student: str, scores: dict[str, Score], remarks=(),
         comments: dict[str, str] | None = None, penalty: float = 0.0) -> str:
    """The HTML of one student's feedback; it fetches nothing, and shows no hidden test.

    notebook: the graded one, with its outputs. scores, comments: by grade_id; comments are
    Markdown. remarks: sentences on the file that was handed in. penalty: points off for lateness.
    """
    found = exercises(notebook, scores, comments or {})
    return template().render(
        title=title, student=student, exercises=found, penalty=penalty,
        shown=found if any(entry.why != said.LINES[said.NOTHING] for entry in found) else [],
        points=max(0.0, sum(entry.points for entry in found) - penalty),
        maximum=sum(entry.maximum for entry in found),
        remarks=[Markup(to_html(remark)) for remark in remarks])


@cache
def template() -> jinja2.Template:
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["points"] = lambda value: f"{value:.4g}"
    environment.filters["breaking"] = lambda name: Markup(
        str(escape(name)).replace("_", "_<wbr>"))
    environment.globals["styles"] = {
        name: Markup(HtmlFormatter(style=style).get_style_defs(".code"))
        for name, style in (("light", "tango"), ("dark", "github-dark"))}
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8"))


def exercises(notebook, scores, comments) -> list[Exercise]:
    """The notebook's cells by exercise, in its order; what stands before them is the first."""
    found, task = {"": Exercise("Before the first exercise")}, []
    current = found[""]
    for cell in notebook.cells:
        roles = cell.metadata.get("nbgrader", {})
        if any(roles.get(role) for role in ("grade", "solution", "task")):
            current = found.setdefault(said.exercise(cell), Exercise(said.exercise(cell)))
            current.task = current.task or Markup("".join(task))
            add(current, cell, scores, comments)
        elif part := seen(cell):
            (current.later if current.verdicts else current.parts).append(part)
        if cell.cell_type == "markdown" and not is_own(cell):
            task = task * (not cell.source.startswith("#")) + [to_html(cell.source, trusted=True)]
        elif "setup" not in cell.metadata.get("tags", []):
            task = []
    return [entry for entry in found.values() if entry.maximum or entry.parts]


def add(exercise: Exercise, cell, scores, comments) -> None:
    """Put an answer or a graded cell into its exercise."""
    name = cell.metadata.nbgrader.grade_id
    if utils.is_solution(cell) or utils.is_task(cell):
        exercise.parts.append(Part(content(cell), outputs(cell)))
        exercise.unreadable = exercise.unreadable or (
            said.line(cell) if said.is_unreadable(cell) else "")
    if comments.get(name):
        exercise.comments.append(Markup(to_html(comments[name])))
    if called := re.search(r"\bcheck\.(\w+)\(", cell.source):
        exercise.name = called[1]
    if name in scores:
        exercise.verdicts.append(verdict(cell, scores[name]))


def verdict(cell, score: Score) -> Verdict:
    """A graded cell's own words; of a hidden test the sentence it ended in, and nothing else."""
    error = said.error_of(cell)
    hidden = bool(HIDDEN.search(cell.source))
    printed = [] if hidden else [out.text for out in cell.get("outputs", [])
                                 if out.output_type == "stream"]
    if error is not None:
        unsolved = error.ename in said.UNSOLVED
        printed.append("It is not written yet." if unsolved else said.sentence(error))
    told = WRAPPED.sub(r"\1 ", short("\n".join(printed)))
    silent = cell.cell_type == "markdown" and not (score.points or score.waits or score.given)
    return Verdict(tries(cell), score, "not answered" if silent else said.line(cell), told)


def tries(cell) -> Markup:
    """What a graded cell tries, as HTML: the comment it begins with."""
    if utils.is_solution(cell) or cell.cell_type != "code":
        return "Your answer, read by a person"
    lines = [line[1:].strip() for line in HIDDEN.sub("", cell.source).splitlines()
             if line.startswith("#")]
    told = re.sub(r"^\w+ points?: ", "", " ".join(lines))
    told = told[:1].upper() + told[1:] or "The check in the notebook"
    return Markup(re.sub(r"</?p>|\n", "", to_html(told)))


def seen(cell) -> Part | None:
    """What is shown of a cell that is no answer: the student's own, or what went on elsewhere."""
    shown = outputs(cell)
    if is_own(cell):
        return Part(content(cell), shown)
    return Part("", shown) if any(kind != "text" for kind, _ in shown) else None


def is_own(cell) -> bool:
    """Whether the student added the cell."""
    return cell.get("id", "").startswith(OWN)


def content(cell) -> Markup:
    """A student's cell as HTML: code in colours, text as Markdown."""
    if cell.cell_type == "code":
        code = highlight(cell.source, PythonLexer(), HtmlFormatter(nowrap=True))
        return Markup(f'<pre class="code">{code}</pre>')
    return Markup(f"<div>{to_html(cell.source, attachments=cell.get('attachments'))}</div>")


def outputs(cell) -> list[tuple[str, str]]:
    """What a cell showed: ("text", …), ("error", …), and pictures as ("picture", data URL)."""
    found = []
    for out in cell.get("outputs", []):
        data = out.get("data", {})
        kind = next((kind for kind in PICTURES if kind in data), None)
        if out.output_type == "error":
            found.append(("error", f"{out.ename}: {said.sentence(out)}\n{said.traceback(out)}"))
        elif kind:
            found.append(("picture", f"data:{kind};base64,{data[kind]}"))
        else:
            found.append(("text", out.get("text", data.get("text/plain", ""))))
    return [(kind, text if kind == "picture" else short(text)) for kind, text in found if text]


def short(text: str) -> str:
    """A text without paths and overwritten lines (as of progress bars), at most LONGEST long."""
    text = re.sub(r"[^\n]*\r(?!\n|$)", "", said.without_paths(text)).strip("\n")
    return text if len(text) <= LONGEST else text[:LONGEST] + "\n… and so on"
