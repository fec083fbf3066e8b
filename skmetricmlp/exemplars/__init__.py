"""Exemplars: the points that represent the classes or the values of the data."""

from skmetricmlp.exemplars._geometry import Exemplars
from skmetricmlp.exemplars.apportionment import coming_counts, exemplar_counts
from skmetricmlp.exemplars.cross_validation import cross_validated_total
from skmetricmlp.exemplars.selection import (
    SELECTORS,
    VALUE_SELECTORS,
    select_exemplars,
)

__all__ = [
    "SELECTORS",
    "VALUE_SELECTORS",
    "Exemplars",
    "coming_counts",
    "cross_validated_total",
    "exemplar_counts",
    "select_exemplars",
]
