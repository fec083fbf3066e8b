"""A scikit-learn compatible neural network with weights calculated from exemplars."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skmetricmlp.estimators.basis_regressor import BasisInitMLPRegressor
    from skmetricmlp.estimators.classifier import MetricInitMLPClassifier
    from skmetricmlp.estimators.regressor import MetricInitMLPRegressor
    from skmetricmlp.estimators.weights import nearest_exemplar_weights

__all__ = [
    "BasisInitMLPRegressor",
    "MetricInitMLPClassifier",
    "MetricInitMLPRegressor",
    "nearest_exemplar_weights",
]

__version__ = "0.1.0"

_MODULES = {
    "BasisInitMLPRegressor": "estimators.basis_regressor",
    "MetricInitMLPClassifier": "estimators.classifier",
    "MetricInitMLPRegressor": "estimators.regressor",
    "nearest_exemplar_weights": "estimators.weights",
}


def __getattr__(name: str) -> Any:
    """Import what is public when it is first asked for.

    scikit-learn takes seconds to import, in which the command shall be able to say in
    its own words that it was interrupted.
    """
    if name not in _MODULES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
