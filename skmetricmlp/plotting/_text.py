"""Text from the data, escaped so that it is shown literally."""

from __future__ import annotations

from unicodedata import category

__all__ = ["escape_controls", "escape_for_matplotlib"]

#: Marks that change the direction of the text after them.
DIRECTION_MARKS = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)

#: Unicode categories of control characters, surrogates and line separators.
CONTROL_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})


def escape_controls(text: str) -> str:
    r"""Replace characters that affect the text around them by their escapes.

    These are control characters, ends of lines, surrogates and marks that change the
    direction of the text.

    Examples
    --------
    >>> print(escape_controls("two\nlines"))
    two\nlines
    """
    if text.isprintable():
        return text
    return "".join(
        char.encode("unicode_escape").decode()
        if char in DIRECTION_MARKS or category(char) in CONTROL_CATEGORIES
        else char
        for char in text
    )


def escape_for_matplotlib(text: str) -> str:
    r"""Escape a text so that matplotlib draws it literally and not as a formula.

    Examples
    --------
    >>> print(escape_for_matplotlib("$x$"))
    \$x\$
    """
    return escape_controls(text).replace("$", r"\$")
