"""The steps that the displays share: checks of the estimator, and axes to draw on."""

from __future__ import annotations

from typing import Any, ClassVar

from numpy.typing import ArrayLike

from skmetricmlp.plotting._drawing import make_axes
from skmetricmlp.plotting._estimators import (
    EstimatorParts,
    check_feature_names,
    check_has_exemplars,
    check_image_shape,
    get_feature_names,
    resolve_image_shape,
    split_fitted_estimator,
)

__all__ = ["BaseDisplay", "FeatureDisplay"]


class BaseDisplay:
    """Base class of the displays."""

    figure_: Any

    _needs_exemplars: ClassVar[bool] = False

    @classmethod
    def _check_estimator(cls, estimator: Any) -> EstimatorParts:
        """Check a fitted estimator, and separate it from the steps before it.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If the estimator is not from this package.
        ValueError
            If the display needs exemplars and the estimator has none.
        """
        parts = split_fitted_estimator(estimator)
        if cls._needs_exemplars:
            check_has_exemplars(parts.model, cls.__name__)
        return parts

    def _make_axes(self, ax: Any, n: int, figsize: tuple[float, float]) -> list[Any]:
        """Return n axes, given or new, and set ``figure_``; see ``make_axes``."""
        axes = make_axes(type(self).__name__, ax, n, figsize)
        self.figure_ = axes[0].figure
        return axes


class FeatureDisplay(BaseDisplay):
    """Base class of displays over features, which may be the pixels of an image."""

    image_shape: tuple[int, int] | None
    feature_names: list[str]

    _needs_exemplars = True

    def _set_features(
        self,
        n_features: int,
        image_shape: tuple[int, int] | None,
        feature_names: ArrayLike | None,
    ) -> None:
        """Set ``image_shape`` and ``feature_names`` after checking them."""
        self.image_shape = (
            None if image_shape is None else check_image_shape(image_shape, n_features)
        )
        if feature_names is None:
            feature_names = [f"x{k}" for k in range(n_features)]
        self.feature_names = check_feature_names(feature_names, n_features)

    @staticmethod
    def _resolve_features(
        parts: EstimatorParts,
        values: Any,
        image_shape: Any,
        feature_names: ArrayLike | None,
    ) -> dict[str, Any]:
        """Return the last two arguments, with the estimator's own where they are None.

        The columns of ``values`` are shown.
        """
        return {
            "image_shape": resolve_image_shape(parts.model, image_shape),
            "feature_names": get_feature_names(parts, feature_names, values.shape[1]),
        }
