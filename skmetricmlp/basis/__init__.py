"""Networks for functions of few variables that start as polynomials."""

from skmetricmlp.basis.assembly import (
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
from skmetricmlp.basis.networks import Blocks, load_blocks

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
