"""A start for functions of one or two variables: networks that are the monomials."""

from skmetricmlp.initialization.basis.assembly import (
    basis_network,
    domain_of,
    hidden_layer,
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
    "least_squares_output",
    "load_blocks",
    "on_domain",
    "to_reference",
]
