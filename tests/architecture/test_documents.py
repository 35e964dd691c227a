"""What a user can set, ask or meet is written down."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import liquake
from liquake import errors
from liquake.config import Settings, sentence

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("setting", Settings.__struct_fields__)
def test_every_setting_has_its_sentence(setting: str) -> None:
    assert len(sentence(setting).split()) >= 4


def test_every_error_stands_in_the_tree_at_the_top_of_its_module() -> None:
    tree = errors.__doc__ or ""
    drawn = set(re.findall(r"^ {4}[ │├└─]*([A-Z]\w+)", tree, re.MULTILINE))
    defined = {name for name, value in vars(errors).items() if getattr(value, "__module__", "") == errors.__name__}
    assert drawn == defined


def test_every_public_module_says_what_it_is_for() -> None:
    silent = [
        path.relative_to(ROOT)
        for path in (ROOT / "src").rglob("*.py")
        if path.read_text() and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert silent == []


def test_the_changelog_speaks_of_this_version() -> None:
    assert liquake.__version__ in (ROOT / "CHANGELOG.md").read_text()
