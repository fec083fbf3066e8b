"""Callbacks of scikit-learn, which has them from version 1.9 on.

All code that depends on the version is in this module. From 1.9 it uses the public names
of ``sklearn.callback``, and ``_init_callback_context``, which its mixin documents for
estimators of other libraries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

__all__ = ["CallbackSupportMixin", "FitTask", "with_callbacks"]

T = TypeVar("T")


class _NoContext:
    """A task without callbacks."""

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
        """Replacement for older versions, without ``set_callbacks``."""

        def _init_callback_context(self, **_: Any) -> _NoContext:
            return _NoContext()

    def with_callbacks(method: Callable[..., T]) -> Callable[..., T]:
        """Return the method as it is: there are no callbacks to tear down."""
        return method


class FitTask:
    """A call of fit or partial_fit, as callbacks see it: a task with a subtask per epoch.

    Parameters
    ----------
    estimator : estimator
        Call the methods from a method of it that ``with_callbacks`` decorates.
    shown : mapping
        What callbacks get: ``X`` and ``y`` as the user passed them, and ``metadata``.
    attributes : callable
        From the state of the training to the attributes of an estimator in that state,
        or to None. It is called only if a callback asks for a fitted estimator.
    """

    def __init__(
        self,
        estimator: Any,
        shown: Mapping[str, Any],
        attributes: Callable[[Any], Mapping[str, Any] | None],
    ) -> None:
        self.estimator = estimator
        self.shown = shown
        self.attributes = attributes
        self._task: Any = None
        self._epoch: Any = None

    def begin(self, name: str, max_epochs: int) -> None:
        """Begin the task, of at most so many epochs."""
        self._task = self.estimator._init_callback_context(  # noqa: SLF001 - documented
            task_name=name, max_subtasks=max_epochs
        )
        self._task.call_on_fit_task_begin(estimator=self.estimator, **self.shown)

    def begin_epoch(self, training: Callable[[], Any]) -> None:
        """Begin a subtask; ``training`` returns the state of the training."""
        self._epoch = self._task.subcontext(task_name="epoch")
        self._epoch.call_on_fit_task_begin(
            estimator=self.estimator,
            reconstruction_attributes=lambda: self.attributes(training()),
            **self.shown,
        )

    def end_epoch(self, training: Callable[[], Any]) -> bool:
        """End the subtask, and return whether a callback asks to stop."""
        epoch, self._epoch = self._epoch, None
        stops: bool = epoch.call_on_fit_task_end(
            estimator=self.estimator,
            reconstruction_attributes=lambda: self.attributes(training()),
            **self.shown,
        )
        return stops

    def end(self) -> None:
        """End the task of a fitted estimator, and an epoch that was not completed."""
        if self._epoch is not None:
            self._epoch.call_on_fit_task_end(estimator=self.estimator)
        self._task.call_on_fit_task_end(
            estimator=self.estimator, reconstruction_attributes={}, **self.shown
        )
