"""What was measured after each epoch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from math import inf

__all__ = ["History"]

# Loss of the epoch, and loss and score on the validation data.
Epoch = tuple[float, float | None, float | None]


@dataclass(frozen=True)
class History:
    """Losses and scores of the epochs so far.

    A history never changes: :meth:`followed_by` returns a longer one. The two share
    their entries, which are kept in blocks of powers of two, so that a stream of n calls
    of ``partial_fit`` copies each entry ``log2(n)`` times and not n times.

    Parameters
    ----------
    blocks : tuple of tuples of (loss, validation loss, validation score)
        Each block is shorter than the one before it. Without validation data the last
        two are None.
    lowest_loss : float, default=inf
        The lowest loss of an epoch.
    n_rows : int, default=0
        Rows that gradient steps have used.
    kept_score : float or None, default=None
        Validation score of the network that training returned.

    Examples
    --------
    >>> history = History().followed_by(3.0).followed_by(1.0)
    >>> longer = history.followed_by(2.0)
    >>> history.losses, longer.losses, longer.lowest_loss
    ([3.0, 1.0], [3.0, 1.0, 2.0], 1.0)
    """

    blocks: tuple[tuple[Epoch, ...], ...] = ()
    lowest_loss: float = inf
    n_rows: int = 0
    kept_score: float | None = None

    def followed_by(
        self, loss: float, validation: tuple[float, float] | None = None
    ) -> History:
        """Return the history with one more epoch."""
        blocks = list(self.blocks)
        block: tuple[Epoch, ...] = ((loss, *(validation or (None, None))),)
        while blocks and len(blocks[-1]) == len(block):
            block = blocks.pop() + block
        lowest = min(self.lowest_loss, loss)
        return replace(self, blocks=(*blocks, block), lowest_loss=lowest)

    def with_rows(self, n_rows: int) -> History:
        """Return the history with so many more rows used."""
        return replace(self, n_rows=self.n_rows + n_rows)

    def __len__(self) -> int:
        """Return the number of epochs."""
        return sum(map(len, self.blocks))

    @property
    def last(self) -> Epoch:
        """Loss, validation loss and validation score of the last epoch."""
        return self.blocks[-1][-1]

    @property
    def losses(self) -> list[float]:
        """Loss of each epoch."""
        return [epoch[0] for epoch in chain.from_iterable(self.blocks)]

    @property
    def validation_losses(self) -> list[float]:
        """Loss on the validation data after each epoch that had such data."""
        epochs = chain.from_iterable(self.blocks)
        return [loss for _, loss, _ in epochs if loss is not None]

    @property
    def validation_scores(self) -> list[float]:
        """Accuracy or R^2 on the validation data after each epoch that had such data."""
        epochs = chain.from_iterable(self.blocks)
        return [score for _, _, score in epochs if score is not None]
