"""The public names, and what ``__all__`` lists; import-linter checks the directions."""

import ast
import importlib
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import pytest

import skmetricmlp

PACKAGE = Path(skmetricmlp.__file__).parent


def name_of(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(("skmetricmlp", *(part for part in parts if part != "__init__")))


PATHS = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}
if find_spec("torch") is None:  # it is optional
    PATHS = {n: p for n, p in PATHS.items() if not n.startswith("skmetricmlp.torch")}
# The package loads its public names when they are asked for.
FACES = [n for n, p in PATHS.items() if p.name == "__init__.py" and n != "skmetricmlp"]
MODULES = [
    name
    for name, path in PATHS.items()
    if path.name not in {"__init__.py", "__main__.py", "_command.py"}
]


def tree_of(name):
    return ast.parse(PATHS[name].read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", MODULES)
def test_all_lists_the_public_functions_and_classes(name):
    module = importlib.import_module(name)
    defined = {
        node.name
        for node in tree_of(name).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
    }
    assert defined <= set(module.__all__)
    assert all(hasattr(module, public) for public in module.__all__)
    assert len(set(module.__all__)) == len(module.__all__)


@pytest.mark.parametrize("name", FACES)
def test_a_face_lists_all_that_it_imports_from_its_folder(name):
    module = importlib.import_module(name)
    imported = {
        alias.asname or alias.name
        for node in tree_of(name).body
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{name}.")
        for alias in node.names
    }
    assert imported <= set(module.__all__)
    assert all(hasattr(module, public) for public in module.__all__)
    assert len(set(module.__all__)) == len(module.__all__)


def test_public_names():
    assert skmetricmlp.__all__ == [
        "BasisInitMLPRegressor",
        "MetricInitMLPClassifier",
        "MetricInitMLPRegressor",
        "nearest_exemplar_weights",
    ]
    assert all(hasattr(skmetricmlp, name) for name in skmetricmlp.__all__)


def test_version_is_that_of_the_installed_distribution():
    assert skmetricmlp.__version__ == version("skmetricmlp")
