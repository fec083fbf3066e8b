"""The error of a comparison that its user can mend."""

__all__ = ["DataError"]


class DataError(ValueError):
    """The data cannot be compared on; the message says why, in terms of the file."""
