"""Random calls of the estimators, a thousand of them; random_calls.py makes more."""

import os

import numpy as np
import pytest
from random_calls import play
from random_scenes import draw_scene

# Scenes of some three calls each. RANDOM_SCENES=20000 plays as many.
N_SCENES = int(os.environ.get("RANDOM_SCENES", "400"))
N_CHUNKS = 8


@pytest.mark.parametrize("chunk", range(N_CHUNKS))
def test_random_calls_end_with_finite_numbers_or_an_error_that_names_what_is_wrong(chunk):
    faults = [
        (number, fault.kind)
        for number in range(chunk, N_SCENES, N_CHUNKS)
        for fault in play(draw_scene(number))[1]
    ]
    assert not faults, "python tests/random_calls.py --scene NUMBER shows one"


def test_a_scene_is_decided_by_its_number():
    first, second = draw_scene(7), draw_scene(7)

    assert repr(first.parameters) == repr(second.parameters)
    for one, other in zip(first.calls, second.calls, strict=True):
        np.testing.assert_equal(repr(one), repr(other))
