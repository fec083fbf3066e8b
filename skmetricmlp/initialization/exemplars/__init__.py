"""Which samples stand for the classes: how many of each, and which ones."""

from skmetricmlp.initialization.exemplars.candidates import Candidates, Exemplars
from skmetricmlp.initialization.exemplars.cross_validation import cross_validated_total
from skmetricmlp.initialization.exemplars.selection import (
    SELECTORS,
    VALUE_SELECTORS,
    select_exemplars,
)
from skmetricmlp.initialization.exemplars.shares import coming_counts, exemplar_counts

__all__ = [
    "SELECTORS",
    "VALUE_SELECTORS",
    "Candidates",
    "Exemplars",
    "coming_counts",
    "cross_validated_total",
    "exemplar_counts",
    "select_exemplars",
]
