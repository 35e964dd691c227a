"""The package that docs/plugins.md describes, as a folder that can stand on a path."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "plugins.md"
_FILE = re.compile(r"^`(?P<name>[\w.]+)`\n\n```\w+\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL)


def build(folder: Path) -> Path:
    """Write the files of the page into `folder`, with the metadata that an installation would leave there."""
    project = tomllib.loads((write(folder) / "pyproject.toml").read_text())["project"]
    describe(folder, project["name"], project["entry-points"])
    return folder


def write(folder: Path) -> Path:
    """Write the files of the page into `folder`, as their author has them."""
    for found in _FILE.finditer(PAGE.read_text("utf-8")):
        (folder / found["name"]).write_text(found["text"])
    return folder


def describe(folder: Path, name: str, points: dict[str, dict[str, str]]) -> None:
    """Leave in `folder` what an installed package of that name and those entry points leaves."""
    metadata = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    groups = (
        f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in of.items()) for group, of in points.items()
    )
    (metadata / "entry_points.txt").write_text("\n".join(groups))
