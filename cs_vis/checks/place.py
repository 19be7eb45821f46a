"""Where in the student's own code an error was raised, in words. One way for everybody who shows
such an error: check, notebook cell, panel and feedback."""

import ast
import dis
import functools
import inspect
import linecache
import traceback
from types import CodeType
from typing import NamedTuple

WIDTH = 300  # characters of an error's own text


class Problem(NamedTuple):
    """An error as data."""
    kind: str  # the name of its class, with its home: cv2.error says more than error
    text: str
    line: int | None = None  # in the cell or file of the function
    statement: str = ""  # the whole statement that begins there

    def __str__(self):
        text = f" ({self.text})" if self.text else ""
        place = f" in line {self.line}: {self.statement}" if self.statement else ""
        return self.kind + text + place


def problem_of(error: BaseException, function=None) -> Problem:
    """The error, placed at the innermost line of `function` itself that led to it."""
    kind, home = type(error).__name__, type(error).__module__
    text = " ".join(str(error).split())
    text = text if len(text) <= WIDTH else text[:WIDTH] + " …"
    own = codes_of(function)
    frames = [(frame.f_code, line) for frame, line in traceback.walk_tb(error.__traceback__)
              if frame.f_code in own]
    kind = kind if home in ("builtins", "__main__") else f"{home}.{kind}"
    if not frames:
        return Problem(kind, text)
    code, line = frames[-1]
    return Problem(kind, text, line, statement_at(code.co_filename, line))


def raised_in(error: BaseException, functions: dict) -> str | None:
    """The name of the function whose own code the error passed last on its way, or None."""
    owner = {code: name for name, function in functions.items() if callable(function)
             for code in codes_of(function)}
    names = [owner[frame.f_code] for frame, _ in traceback.walk_tb(error.__traceback__)
             if frame.f_code in owner]
    return names[-1] if names else None


def is_stub(function) -> bool:
    """Is it still as it was handed out? Then it, or a method of the class, ends in nothing but
    `raise NotImplementedError`. Its code is read, and never run: Python compiles no return into a
    function that cannot reach its end."""
    return callable(function) and any(
        "NotImplementedError" in code.co_names and not any(
            step.opname in ("RETURN_VALUE", "RETURN_CONST") for step in dis.get_instructions(code))
        for code in codes_of(function))


def codes_of(function) -> set[CodeType]:
    """The code of a function, of what is defined in it, and of a class's or an object's methods."""
    while isinstance(function, functools.partial):
        function = function.func
    function = inspect.unwrap(function) if callable(function) else function
    function = getattr(function, "__func__", function)
    code = getattr(function, "__code__", None)
    if code is not None:
        return nested(code)
    owner = function if isinstance(function, type) else type(function)
    methods = [getattr(m, "__func__", m) for m in vars(owner).values()]
    return set().union(*(nested(inspect.unwrap(m).__code__) for m in methods
                         if callable(m) and hasattr(inspect.unwrap(m), "__code__")))


def nested(code: CodeType) -> set[CodeType]:
    return {code}.union(*(nested(c) for c in code.co_consts if isinstance(c, CodeType)))


def statement_at(file: str, line: int) -> str:
    """The whole statement of which `line` is part, its lines joined."""
    lines = linecache.getlines(file)
    try:
        statements = [node for node in ast.walk(ast.parse("".join(lines)))
                      if isinstance(node, ast.stmt) and node.lineno <= line <= node.end_lineno]
        smallest = min(statements, key=lambda node: node.end_lineno - node.lineno)
    except (SyntaxError, ValueError):  # no source, or a cell with IPython's own syntax
        return linecache.getline(file, line).strip()
    body = getattr(smallest, "body", None)  # of a loop or an if, its head alone
    end = body[0].lineno - 1 if isinstance(body, list) and body else smallest.end_lineno
    return " ".join(text.strip() for text in lines[smallest.lineno - 1:max(end, smallest.lineno)])
