"""Which samples stand for the classes: how many of each, and which ones."""

from skmetricmlp.exemplars.apportionment import coming_counts, exemplar_counts
from skmetricmlp.exemplars.candidates import Candidates, Exemplars
from skmetricmlp.exemplars.cross_validation import cross_validated_total
from skmetricmlp.exemplars.selection import (
    SELECTORS,
    VALUE_SELECTORS,
    select_exemplars,
)

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
