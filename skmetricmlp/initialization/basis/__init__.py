"""A start for functions of few variables: networks that are the monomials."""

from skmetricmlp.initialization.basis.assembly import (
    basis_network,
    domain_of,
    hidden_layer,
    hidden_width,
    highest_degree,
    least_squares_output,
    middle_and_half,
    n_polynomials,
    on_domain,
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
    "middle_and_half",
    "n_polynomials",
    "on_domain",
]
