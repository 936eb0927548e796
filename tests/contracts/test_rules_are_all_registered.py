"""No rule of a policies module is lost because another bears its Python name."""

import ast

import pytest

from tests.kit.catalogues import APPS, ROOT

MODULES = sorted(path for app in APPS for path in (ROOT / app).rglob("*policies.py"))


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_no_name_is_given_twice(path):
    bound = [
        target.id
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    ]
    assert sorted(bound) == sorted(set(bound))
