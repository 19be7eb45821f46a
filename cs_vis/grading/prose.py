"""The numbers in a notebook's texts, compared with the run that they come from.

In solutions/NAME.py a code cell tagged `figures` ends in a list of fragments of the texts, with
what the run computes filled in:

    [f"{inside:.2f} of the energy on them", claim("beats every grey row", inside > grey)]

`cs-vis build` runs these cells in their place and leaves them out of both notebooks. Each
fragment must stand in the texts, once. All texts are searched, for a text may announce a number
that only a later section computes.
"""

import ast
import hashlib

import jupytext

from cs_vis import datasets

TAG = "figures"
FIRST = "setup_course"  # the cell that the build adds; it names a version, and computes nothing
STANDS_ON = ("weights/specimens*.safetensors", "gallery/*")  # under datasets/, beside the code
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
           "eleven", "twelve")
SHARES = {"a quarter": 1 / 4, "a third": 1 / 3, "half": 1 / 2, "two thirds": 2 / 3,
          "three quarters": 3 / 4}


def is_figures(cell) -> bool:
    return cell.cell_type == "code" and TAG in cell.metadata.get("tags", [])


def take_out(notebook) -> list:
    """Remove the cells of figures, and count the others as if these had never been there."""
    figures = [cell for cell in notebook.cells if is_figures(cell)]
    notebook.cells = [cell for cell in notebook.cells if not is_figures(cell)]
    ran = [cell for cell in notebook.cells if cell.get("execution_count")]
    for count, cell in enumerate(ran, 1):
        cell.execution_count = count
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count
    return figures


def fragments(cell) -> list[str]:
    """The list of strings that a cell of figures ended in; ValueError where it did not."""
    shown = [out.data["text/plain"] for out in cell.outputs if out.output_type == "execute_result"]
    try:
        value = ast.literal_eval("".join(shown))
    except (ValueError, SyntaxError):  # not shown as Python would write it, or nothing shown
        value = None
    if not isinstance(value, list) or not all(isinstance(f, str) and f.strip() for f in value):
        raise ValueError(f"a cell tagged `{TAG}` must end in a list of strings, fragments of the "
                         f"texts, and this one does not:\n{cell.source}")
    return [" ".join(fragment.split()) for fragment in value]


def stands_on(notebook) -> dict[str, str]:
    """Digests of what the figures come from: the code of all cells, the networks, the gallery.

    The notebook still has its cells of figures, so a change of these is one of the code.
    """
    code = [cell.source.encode() for cell in notebook.cells
            if cell.cell_type == "code" and cell.id != FIRST]
    found = {"code": digest(code)}
    for pattern in STANDS_ON:
        folder, ending = pattern.split("/")
        files = sorted(datasets.path(folder).glob(ending))
        found[pattern] = digest([part for file in files
                                 for part in (file.name.encode(), file.read_bytes())])
    return found


def digest(parts: list[bytes]) -> str:
    """Sixteen letters that tell one list of bytes from another."""
    lengths = repr([len(part) for part in parts]).encode()  # where one part ends, the next begins
    return hashlib.sha256(b"".join([lengths, *parts])).hexdigest()[:16]


def kept(old, of: dict) -> list:
    """What an earlier build found, where nothing that it stands on has changed; else nothing."""
    known = old.metadata.get("cs_vis", {})
    return known.get("figures", []) if known.get("of") == of else []


def confirm(source: str, figures: list[list[str]], name: str) -> None:
    """Raise ValueError, naming all of them, where fragments do not stand in the texts of `source`.

    source: the percent script. figures: the fragments of each of its cells of figures, in order.
    """
    written = list(texts(source))
    lines = [line for cell, line in numbered(source) if is_figures(cell)]
    faults = [f"\n  line {line}: {fault}" for line, found in zip(lines, figures, strict=True)
              for fragment in found if (fault := find_fault(fragment, written))]
    if faults:
        raise ValueError(
            f"solutions/{name}.py: {len(faults)} of its figures are not those of the run:"
            f"{''.join(faults)}\nRead each sentence anew and rewrite it. The run itself is kept: "
            f"where only texts change now, `cs-vis build {name} --no-execute` is enough.")


def find_fault(fragment: str, written: list) -> str:
    """Why a fragment is not confirmed, in a sentence; empty where it stands in the texts once."""
    times = sum(" ".join(words).count(fragment) for words, _ in written)
    if times == 1:
        return ""
    if times:
        return f'"{fragment}" stands in the texts {times} times: add words from around it'
    line, said = nearest(fragment.split(), written)
    return (f'the run gives "{fragment}", '
            + (f'but line {line} says "{said}"' if said else "and no text says anything like it"))


def nearest(wanted: list[str], written: list) -> tuple[int, str]:
    """The line and the words of the texts that share most words with those wanted.

    (0, "") where fewer than half are shared.
    """
    most, line, said = (len(wanted) - 1) // 2, 0, ""
    for words, lines in written:
        for start, number in enumerate(lines):
            stretch = words[start:start + len(wanted)]
            shared = sum(one == other for one, other in zip(wanted, stretch))
            if shared > most:
                most, line, said = shared, number, " ".join(stretch)
    return line, said


def texts(source: str):
    """For each text cell of a percent script: its words, and the line that each stands on."""
    for cell, mark in numbered(source):
        if cell.cell_type == "markdown":
            pairs = [(word, line) for line, content in enumerate(cell.source.splitlines(), mark + 1)
                     for word in content.split()]
            yield [word for word, _ in pairs], [line for _, line in pairs]


def numbered(source: str) -> list:
    """The cells of a percent script, each with the number of the line that it begins with."""
    marks = [number for number, line in enumerate(source.splitlines(), 1)
             if f"{line} ".startswith("# %% ")]
    return list(zip(jupytext.reads(source, fmt="py:percent").cells, marks, strict=True))


# Words for the cells of figures.

def claim(words: str, holds: bool) -> str:
    """The words where they hold; where they do not, words that no text has."""
    return words if holds else f"{words} (no longer so)"


def percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def spelled(number: float) -> str:
    """A whole number up to twelve as a word: 2.3 is "two"; others in digits."""
    number = round(number)
    return NUMBERS[number] if 0 <= number < len(NUMBERS) else str(number)


def fraction(share: float) -> str:
    """A share in a word where one fits: 0.32 is "a third"; else in percent."""
    word = min(SHARES, key=lambda word: abs(SHARES[word] - share))
    return word if abs(SHARES[word] - share) < 0.04 else percent(share)


def article(word: str) -> str:
    """The word after "a" or "an", in italics, as texts name a class: "an *owl*"."""
    return f"a{'n' * word.startswith(tuple('aeiou'))} *{word}*"
