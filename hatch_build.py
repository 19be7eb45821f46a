"""The notebooks of the wheel: those that course.toml lists, unsolved, and nothing beside them."""

import json
import tomllib
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Notebooks(BuildHookInterface):
    """Hatch calls it when it builds the wheel."""

    def initialize(self, version, build_data):
        if version == "editable":  # it finds them where they lie, in the clone
            return
        root = Path(self.root)
        course = tomllib.loads((root / "course.toml").read_text(encoding="utf-8"))
        for entry in course["assignments"]:
            file = f"notebooks/{entry['name']}/{entry['name']}.ipynb"
            require_unsolved(root / file)
            build_data["force_include"][file] = f"cs_vis/_datasets/{file}"


def require_unsolved(file: Path) -> None:
    """Refuse a notebook that somebody has solved in the place of the one that is handed out."""
    for cell in json.loads(file.read_text(encoding="utf-8"))["cells"]:
        role = cell["metadata"].get("nbgrader", {})
        code = role.get("solution") and cell["cell_type"] == "code"
        if code and "NotImplementedError" not in "".join(cell["source"]):
            raise ValueError(f"{file}: the cell {role['grade_id']} is solved, and students would "
                             f"get it; restore the file with `git checkout -- notebooks`")
