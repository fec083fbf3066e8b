"""Doctests that need PyTorch, which is optional, are left out where it is missing."""

from importlib.util import find_spec
from typing import Any

import pytest

HAS_TORCH = find_spec("torch") is not None

collect_ignore = [] if HAS_TORCH else ["skmetricmlp/torch"]


def pytest_collection_modifyitems(items: list[Any]) -> None:
    """Skip doctests of estimators and pages that import it."""
    for item in items:
        if HAS_TORCH or not isinstance(item, pytest.DoctestItem):
            continue
        if any("torch" in example.source for example in item.dtest.examples):
            item.add_marker(pytest.mark.skip(reason="could not import 'torch'"))
