"""Names from the data as text that is shown, whatever characters are in them."""

from __future__ import annotations

from unicodedata import category

__all__ = ["drawn", "visible"]

#: Marks that turn the direction of the text that follows them.
TURNS = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)

#: Categories of characters that end lines, steer terminals or are no characters.
HIDDEN = frozenset({"Cc", "Cs", "Zl", "Zp"})


def visible(text: str) -> str:
    r"""Write characters that steer the text around them as their escapes.

    Those are control characters, ends of lines, halves of characters, and marks that turn
    the direction of the text.

    Examples
    --------
    >>> print(visible("two\nlines"))
    two\nlines
    """
    if text.isprintable():
        return text
    return "".join(
        char.encode("unicode_escape").decode()
        if char in TURNS or category(char) in HIDDEN
        else char
        for char in text
    )


def drawn(text: str) -> str:
    r"""Write a text so that matplotlib draws it as it is, and takes no part as a formula.

    Examples
    --------
    >>> print(drawn("$x$"))
    \$x\$
    """
    return visible(text).replace("$", r"\$")
