"""Count the record types and stack frames that a reader of ``fit`` has to follow.

    python benchmarks/reading_path.py

Prints, for each of the estimators with default parameters and one epoch of training:

- the record types (dataclasses and named tuples of the package) that ``fit`` makes
  instances of, and the other classes;
- the frames of the package from ``fit`` to the first product of a layer, in the
  initialization and in the training, beside those of scikit-learn's ``MLPClassifier``;

and for the package: lines of code without docstrings, comments and blank lines, and the
modules and folders at the top.
"""

from __future__ import annotations

import ast
import io
import sys
import tokenize
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import is_dataclass
from inspect import isclass
from pathlib import Path
from pkgutil import walk_packages
from types import FrameType
from typing import Any

from sklearn.datasets import load_diabetes, load_iris
from sklearn.neural_network import MLPClassifier

import skmetricmlp
from skmetricmlp import (
    BasisInitMLPRegressor,
    MetricInitMLPClassifier,
    MetricInitMLPRegressor,
)
from skmetricmlp.network import Dense, TiedComparison

PACKAGE = Path(skmetricmlp.__file__).parent


def main() -> None:
    iris, diabetes = load_iris(return_X_y=True), load_diabetes(return_X_y=True)
    function = diabetes[0][:, 2:4], diabetes[1]
    for estimator, data in (
        (MetricInitMLPClassifier(max_iter=1, random_state=0), iris),
        (MetricInitMLPRegressor(max_iter=1, random_state=0), diabetes),
        (BasisInitMLPRegressor(max_iter=1), function),
    ):
        report(estimator, data)
    with profiled("sklearn", {MLPClassifier._forward_pass}) as paths:  # noqa: SLF001
        fit(MLPClassifier(max_iter=1), iris)
    print(f"MLPClassifier: {len(paths[0])} frames: {', '.join(paths[0])}\n")
    modules = sorted(path for path in PACKAGE.rglob("*.py"))
    lines = sum(map(code_lines, modules))
    print(f"{len(modules)} modules with {lines:,} lines of code")
    tops = {p.relative_to(PACKAGE).parts[0].removesuffix(".py") for p in modules}
    visible = sorted(name for name in tops if not name.startswith("_"))
    print(f"{len(visible)} names at the top: {', '.join(visible)}")


def report(estimator: Any, data: tuple[Any, Any]) -> None:
    with counted() as made:
        fit(estimator, data)
    records = sorted(c.__name__ for c in made if is_record(c))
    others = sorted(c.__name__ for c in made if not is_record(c))
    name = type(estimator).__name__
    print(f"{name}: {len(records)} record types: {', '.join(records)}")
    print(f"  {len(others)} other classes: {', '.join(others)}")
    with profiled("skmetricmlp", {Dense.affine, TiedComparison.affine}) as paths:
        fit(estimator, data)
    trained = next(path for path in paths if "value_and_gradient" in path)
    print(f"  {len(paths[0])} frames in initialization: {', '.join(paths[0])}")
    print(f"  {len(trained)} frames in training: {', '.join(trained)}\n")


def fit(estimator: Any, data: tuple[Any, Any]) -> None:
    with warnings.catch_warnings(action="ignore"):
        estimator.fit(*data)


def is_record(kind: type) -> bool:
    return is_dataclass(kind) or hasattr(kind, "_make")


def package_classes() -> set[type]:
    names = [m.name for m in walk_packages(skmetricmlp.__path__, "skmetricmlp.")]
    skipped = ("skmetricmlp.__main__", "skmetricmlp.study", "skmetricmlp.plotting")
    modules = [__import__(n, fromlist=["x"]) for n in names if not n.startswith(skipped)]
    return {
        value
        for module in modules
        for value in vars(module).values()
        if isclass(value)
        and value.__module__ == module.__name__
        and not hasattr(value, "get_params")
    }


@contextmanager
def counted() -> Iterator[set[type]]:
    """Collect the classes of the package that instances are made of."""
    made: set[type] = set()
    classes, codes = package_classes(), set()
    for kind in classes:
        for name in ("__init__", "__new__"):
            function = vars(kind).get(name)
            function = getattr(function, "__func__", function)
            codes.add(getattr(function, "__code__", None))

    def profile(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and frame.f_code in codes:
            first = frame.f_locals[frame.f_code.co_varnames[0]]
            kind = first if isclass(first) else type(first)
            if kind in classes:
                made.add(kind)

    sys.setprofile(profile)
    try:
        yield made
    finally:
        sys.setprofile(None)


@contextmanager
def profiled(package: str, targets: set[Any]) -> Iterator[list[list[str]]]:
    """Collect the frames of a package on the stack at each call of some functions."""
    paths: list[list[str]] = []
    codes = {function.__code__ for function in targets}

    def profile(frame: FrameType, event: str, _: Any) -> None:
        if event != "call" or frame.f_code not in codes:
            return
        path, current = [], frame
        while current:
            file = current.f_code.co_filename
            is_wrapper = current.f_code.co_name in {"wrapper", "<lambda>"}
            if f"/{package}/" in file and not is_wrapper:
                path.append(current.f_code.co_name)
            current = current.f_back
        paths.append(path[::-1])

    sys.setprofile(profile)
    try:
        yield paths
    finally:
        sys.setprofile(None)


def code_lines(path: Path) -> int:
    """Count the lines without docstrings, comments and blank lines."""
    source = path.read_text(encoding="utf-8")
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, documented) and ast.get_docstring(node, clean=False):
            text = node.body[0]
            docstrings.update(range(text.lineno, (text.end_lineno or 0) + 1))
    lines: set[int] = set()
    skipped = {
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
    }
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in skipped:
            lines.update(range(token.start[0], token.end[0] + 1))
    return len(lines - docstrings)


if __name__ == "__main__":
    main()
