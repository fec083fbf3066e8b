"""Callbacks of scikit-learn: it has them from version 1.9 on, and before that none.

All that depends on its version is here. Of 1.9 these are the public names of
``sklearn.callback``, and the method that its mixin documents for estimators made
elsewhere, ``_init_callback_context``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

__all__ = ["CallbackSupportMixin", "FitTask", "with_callbacks"]

T = TypeVar("T")


class _NoContext:
    """A task that nobody is told of."""

    def subcontext(self, **_: Any) -> _NoContext:
        return self

    def call_on_fit_task_begin(self, **_: Any) -> _NoContext:
        return self

    def call_on_fit_task_end(self, **_: Any) -> bool:
        return False


try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ModuleNotFoundError:

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stand-in, without ``set_callbacks``: there is nothing that could be set."""

        def _init_callback_context(self, **_: Any) -> _NoContext:
            return _NoContext()

    def with_callbacks(method: Callable[..., T]) -> Callable[..., T]:
        """Return the method, after which there is nothing to tear down."""
        return method


@dataclass
class FitTask:
    """A call of fit or partial_fit, as callbacks see it: a task, an epoch a subtask.

    Parameters
    ----------
    estimator : estimator
        That has called the method. From ``begin`` on it is in a task, which is to be
        torn down: call from within a method that is decorated by ``with_callbacks``.
    shown : mapping
        What callbacks are shown: ``X`` and ``y`` as the user passed them, and
        ``metadata``.
    attributes : callable
        From what training says of itself, a value that is not looked at here, to the
        attributes of an estimator fitted so, or to None if there can be none. Asked
        only if a callback wants a fitted estimator.
    """

    estimator: Any
    shown: Mapping[str, Any]
    attributes: Callable[[Any], Mapping[str, Any] | None]
    _task: Any = None
    _epoch: Any = None

    def begin(self, name: str, max_epochs: int) -> None:
        """Begin the task, of at most so many epochs."""
        self._task = self.estimator._init_callback_context(  # noqa: SLF001 - documented
            task_name=name, max_subtasks=max_epochs
        )
        self._task.call_on_fit_task_begin(estimator=self.estimator, **self.shown)

    def begin_epoch(self, training: Callable[[], Any]) -> None:
        """Begin a subtask; ``training`` says, if it is asked, where training stands."""
        self._epoch = self._task.subcontext(task_name="epoch")
        self._epoch.call_on_fit_task_begin(
            estimator=self.estimator,
            reconstruction_attributes=lambda: self.attributes(training()),
            **self.shown,
        )

    def end_epoch(self, training: Callable[[], Any]) -> bool:
        """End the subtask, and say whether a callback asks to stop."""
        epoch, self._epoch = self._epoch, None
        stops: bool = epoch.call_on_fit_task_end(
            estimator=self.estimator,
            reconstruction_attributes=lambda: self.attributes(training()),
            **self.shown,
        )
        return stops

    def end(self) -> None:
        """End the task, the estimator being fitted, and an epoch that led nowhere."""
        if self._epoch is not None:
            self._epoch.call_on_fit_task_end(estimator=self.estimator)
        self._task.call_on_fit_task_end(
            estimator=self.estimator, reconstruction_attributes={}, **self.shown
        )
