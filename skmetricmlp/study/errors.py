"""Errors that the user can correct."""

__all__ = ["DataError"]


class DataError(ValueError):
    """The data or the design of a comparison is invalid.

    The message refers to the file, the columns and the options of the user.
    """
