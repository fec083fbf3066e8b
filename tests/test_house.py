"""The public names, and the one way in which imports go."""

import ast
import importlib
from importlib.metadata import version
from pathlib import Path

import pytest

import skmetricmlp

PACKAGE = Path(skmetricmlp.__file__).parent
MODULES = sorted(
    ".".join(("skmetricmlp", *path.relative_to(PACKAGE).with_suffix("").parts))
    for path in PACKAGE.rglob("*.py")
    if path.name not in {"__init__.py", "__main__.py"}
)

# What each part may import of the package, besides itself.
MAY_IMPORT = {
    "arrays": set(),
    "callbacks": set(),
    "network": set(),
    "training": {"arrays", "network"},
    "initialization": {"arrays", "network"},
    "validation": {"arrays", "initialization", "network"},
    "targets": {"arrays", "initialization", "network", "validation"},
    "streams": {"arrays", "training", "validation"},
    "learning": {
        "arrays",
        "initialization",
        "network",
        "streams",
        "targets",
        "training",
        "validation",
    },
    "metric_initialization": {
        "initialization",
        "network",
        "targets",
        "training",
        "validation",
    },
    "explanation": {"initialization", "network"},
    "inspection": {"arrays", "initialization", "network"},
    "estimator": {
        "arrays",
        "callbacks",
        "initialization",
        "learning",
        "network",
        "streams",
        "targets",
        "training",
        "validation",
    },
    "metric_estimator": {
        "arrays",
        "estimator",
        "explanation",
        "initialization",
        "learning",
        "metric_initialization",
        "validation",
    },
    "classifier": {
        "arrays",
        "estimator",
        "explanation",
        "learning",
        "metric_estimator",
        "network",
        "targets",
        "training",
        "validation",
    },
    "basis_initialization": {
        "initialization",
        "network",
        "targets",
        "training",
        "validation",
    },
    "basis_regressor": {
        "arrays",
        "basis_initialization",
        "estimator",
        "initialization",
        "learning",
        "targets",
        "training",
        "validation",
    },
    "regressor": {
        "estimator",
        "explanation",
        "learning",
        "metric_estimator",
        "targets",
        "training",
        "validation",
    },
    "weights": {"classifier"},
    "plotting": {"<public>"},
    "study": {"<public>", "plotting"},
    "__main__": {"<public>", "study"},
    "<public>": {"basis_regressor", "classifier", "regressor", "weights"},
}


def part(module):
    """Part of the house that a module is in; the package itself is ``<public>``."""
    return module.split(".")[1] if "." in module else "<public>"


def imports(path):
    """Modules of the package that a file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [node.module]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] == "skmetricmlp")


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=str)
def test_imports_go_one_way(path):
    relative = path.relative_to(PACKAGE).with_suffix("").parts
    own = "<public>" if relative == ("__init__",) else relative[0]
    for module in imports(path):
        assert part(module) in MAY_IMPORT[own] | {own}, f"{path.name} imports {module}"


def test_the_rule_covers_every_part_and_has_no_cycle():
    parts = {
        path.relative_to(PACKAGE).with_suffix("").parts[0]
        for path in PACKAGE.rglob("*.py")
    }
    assert parts - {"__init__"} | {"<public>"} == MAY_IMPORT.keys()

    def reachable(start, seen=()):
        for target in MAY_IMPORT[start]:
            assert target not in seen, f"{start} -> {target} closes a cycle"
            reachable(target, (*seen, start, target))

    for start in MAY_IMPORT:
        reachable(start)


@pytest.mark.parametrize("name", MODULES)
def test_all_lists_the_public_functions_and_classes(name):
    module = importlib.import_module(name)
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    defined = {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
    }
    assert defined <= set(module.__all__)
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
