"""Values that are missing: what a metric has to leave out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from skmetricmlp._typing import Array, Floats, Ints

__all__ = ["Holes"]


@dataclass(frozen=True)
class Holes:
    """Columns with missing values, and the columns that tell which are missing.

    A row has a stand-in where a value is missing, and 1 in the indicator. The distance
    over the values that are known is affine in both: the weight of the indicator takes
    back what the stand-in adds.

    Parameters
    ----------
    values, indicators : int arrays of shape (k,)
        Columns of ``X``.
    stand_ins : array of shape (k,)
        What is in the place of a missing value.
    are_compared : bool, default=False
        Whether rows differ also in that a value is missing.
    """

    values: Ints
    indicators: Ints
    stand_ins: Floats
    are_compared: bool = False

    def compared(self) -> Holes:
        """Return the same columns, where missing and known values differ."""
        return replace(self, are_compared=True)

    def features_of(self, points: Floats) -> Floats:
        """Points (n, d) whose indicators are zero unless they are compared."""
        if self.are_compared:
            return points
        points = points.copy()
        points[:, self.indicators] = 0.0
        return points

    def takes_back(self, A: Floats, terms: Floats) -> Floats:
        """Slopes ``A`` (n, d) with those of the indicators, given the ``terms`` (n, d).

        A missing value adds ``A stand_in + term`` to a distance, and so much less.
        """
        A = A.copy()
        of_values = A[:, self.values] * self.stand_ins + terms[:, self.values]
        A[:, self.indicators] -= of_values
        return A

    def completed(self, points: Array) -> Array:
        """Points (n, d) that are means of rows, as means of the values that are known.

        The mean of an indicator is the share of missing values. A point that none is
        known of keeps the stand-in.
        """
        points = points.copy()
        missing = points[:, self.indicators].astype(np.float64)
        known = np.where(missing < 1.0, 1.0 - missing, 1.0)
        sums = points[:, self.values] - missing * self.stand_ins
        means = np.where(missing < 1.0, sums / known, self.stand_ins)
        # A mean of no missing value is that of all, to the last bit.
        points[:, self.values] = np.where(missing > 0.0, means, points[:, self.values])
        return points
