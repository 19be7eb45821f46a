"""The list of students: a CSV file with the columns of `nbgrader db student import`."""

import csv
import io
from pathlib import Path

FILE = "students.csv"  # beside nbgrader_config.py
COLUMNS = ("id", "first_name", "last_name", "email", "lms_user_id")


def read(file: Path) -> dict[str, dict[str, str | None]]:
    """id -> the other columns by name, None where a field is empty; in the file's order.

    No file is an empty list. Raises ValueError, naming the line, for a file that cannot be
    meant: not UTF-8, unknown columns, a field too many or too few, an id twice or none.
    """
    file = Path(file)
    if not file.is_file():
        return {}
    rows = csv.reader(io.StringIO(decoded(file), newline=""), strict=True)
    students, columns = {}, None
    try:
        for fields in rows:
            fields = [field.strip() for field in fields]
            if not any(fields):
                continue
            if columns is None:
                columns = require_columns(fields, f"{file.name}, line {rows.line_num}")
                continue
            row = require_row(fields, columns, students, f"{file.name}, line {rows.line_num}")
            students[row.pop("id")] = row
    except csv.Error as error:
        raise ValueError(f"{file.name}, line {rows.line_num}: {error}; put a field that holds a "
                         f"comma into double quotes, and close them") from None
    if not students:
        raise ValueError(f"{file.name} names no students: its first line names the columns "
                         f"({','.join(COLUMNS)}), and each line after it one student")
    return students


def decoded(file: Path) -> str:
    content = file.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[:error.start].count(b"\n") + 1
        raise ValueError(f"{file.name}, line {line}: this is not UTF-8; save the list as "
                         f'"CSV UTF-8"') from None


def require_columns(names: list[str], where: str) -> list[str]:
    """Refuse a first line that does not name the columns."""
    unknown = [name for name in names if name not in COLUMNS]
    if unknown:
        hint = "separate them by commas" if ";" in unknown[0] or "\t" in unknown[0] else (
            "rename it, or leave it out")
        raise ValueError(f"{where}: {unknown[0]!r} is no column; the first line must name "
                         f"id and any of {', '.join(COLUMNS[1:])}: {hint}")
    if "id" not in names or len(set(names)) < len(names):
        raise ValueError(f"{where}: the columns are {', '.join(names)}; there must be one called "
                         f"id, and none twice")
    return names


def require_row(fields: list[str], columns: list[str], before, where: str) -> dict:
    """Refuse a line that is not one new student."""
    if len(fields) != len(columns):
        raise ValueError(f"{where}: {len(fields)} fields, but the first line names "
                         f"{len(columns)} columns; is there a comma too many or too few?")
    row = {name: field or None for name, field in zip(columns, fields)}
    name = row["id"]
    if not name or name.startswith(".") or set(name) & set("/\\"):
        raise ValueError(f"{where}: id={name or ''!r} cannot name a student; it must be what the "
                         f"student's folder in submitted/ is called")
    if name in before:
        raise ValueError(f"{where}: id={name!r} is there a second time; give each student one line")
    return row


def enter(gradebook, students: dict[str, dict]) -> None:
    """Write names and addresses into nbgrader's gradebook; points that are in it stay."""
    for name, row in students.items():
        gradebook.update_or_create_student(name, **row)


def full_name(row: dict | None) -> str:
    """First and last name, empty where there is none."""
    return " ".join(filter(None, [(row or {}).get("first_name"), (row or {}).get("last_name")]))
