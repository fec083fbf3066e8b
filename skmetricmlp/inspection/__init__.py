"""What a network is like: which neurons are the same, and how its surface bends."""

from skmetricmlp.inspection.surfaces import (
    Surface,
    SurfaceStatistics,
    random_network,
    random_network_statistics,
    surface,
    surface_statistics,
)
from skmetricmlp.inspection.symmetry import count_distinct_neurons

__all__ = [
    "Surface",
    "SurfaceStatistics",
    "count_distinct_neurons",
    "random_network",
    "random_network_statistics",
    "surface",
    "surface_statistics",
]
