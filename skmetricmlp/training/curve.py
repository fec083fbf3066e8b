"""A number for each epoch, in a value that costs nothing to keep."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from math import inf
from typing import Any, overload

__all__ = ["Curve"]


@dataclass(frozen=True, eq=False)
class Curve(Sequence[float]):
    """Numbers of the epochs so far, equal to a list of them.

    It never changes: :meth:`followed_by` returns a longer one, so that whoever keeps a
    curve keeps it as it is, without a copy. The two share blocks of powers of two
    numbers, of which only the last ones are merged. So a number is copied
    ``log2(n)`` times while n numbers are added, however many curves are kept.

    Parameters
    ----------
    blocks : tuple of tuples of float
        Each shorter than the one before it.
    lowest, highest : float
        Of all numbers; infinite where there is none.

    Examples
    --------
    >>> curve = Curve().followed_by(3.0).followed_by(1.0)
    >>> longer = curve.followed_by(2.0)
    >>> list(curve), list(longer), longer.lowest
    ([3.0, 1.0], [3.0, 1.0, 2.0], 1.0)
    """

    blocks: tuple[tuple[float, ...], ...] = ()
    lowest: float = inf
    highest: float = -inf

    @classmethod
    def of(cls, values: Iterable[float]) -> Curve:
        """Return a curve of these numbers; a curve as it is."""
        if isinstance(values, Curve):
            return values
        curve = cls()
        for value in values:
            curve = curve.followed_by(value)
        return curve

    def followed_by(self, value: float) -> Curve:
        """Return the curve with one more number."""
        blocks: list[tuple[float, ...]] = list(self.blocks)
        block: tuple[float, ...] = (value,)
        while blocks and len(blocks[-1]) == len(block):
            block = blocks.pop() + block
        return Curve((*blocks, block), min(self.lowest, value), max(self.highest, value))

    def __len__(self) -> int:
        """Return how many numbers there are."""
        return sum(map(len, self.blocks))

    def __iter__(self) -> Iterator[float]:
        """Yield the numbers in their order."""
        return chain.from_iterable(self.blocks)

    @overload
    def __getitem__(self, index: int) -> float: ...
    @overload
    def __getitem__(self, index: slice) -> list[float]: ...
    def __getitem__(self, index: Any) -> Any:
        """Return a number, or a list of some."""
        if index == -1 and self.blocks:
            return self.blocks[-1][-1]
        return list(self)[index]

    def __eq__(self, other: object) -> bool:
        """Say whether another curve, list or tuple has the same numbers."""
        if not isinstance(other, (Curve, list, tuple)):
            return NotImplemented
        return list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]
