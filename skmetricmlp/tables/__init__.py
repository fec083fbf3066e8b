"""Tables: the columns of numbers that a network reads, and values that are missing."""

from skmetricmlp.tables.encoding import TableEncoding, check_numbers, fit_encoding

__all__ = ["TableEncoding", "check_numbers", "fit_encoding"]
