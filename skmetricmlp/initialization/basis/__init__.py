"""A start for functions of few variables: networks that are the monomials."""

from skmetricmlp.initialization.basis.assembly import (
    basis_network,
    domain_of,
    hidden_layer,
    hidden_width,
    highest_degree,
    least_squares_output,
    on_domain,
    to_reference,
)
from skmetricmlp.initialization.basis.blocks import Blocks, load_blocks

__all__ = [
    "Blocks",
    "basis_network",
    "domain_of",
    "hidden_layer",
    "hidden_width",
    "highest_degree",
    "least_squares_output",
    "load_blocks",
    "on_domain",
    "to_reference",
]
