"""The assignment against all permutations, which small tables allow."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from fer_gateway.tracking.assignment import assign

Costs = NDArray[np.float64]

ALONE = 2.0


def total(costs: Costs, pairs: list[tuple[int, int]]) -> float:
    return float(sum(costs[pair] for pair in pairs)) + ALONE * (len(costs) - len(pairs))


def best(costs: Costs) -> float:
    """The least total over every way to give each row a column of its own or none."""
    rows, columns = costs.shape
    table = np.hstack([np.minimum(costs, ALONE), np.full((rows, rows), ALONE)])
    return min(
        (
            sum(table[row, column] for row, column in enumerate(chosen))
            for chosen in permutations(range(columns + rows), rows)
        ),
        default=0.0,
    )


@pytest.mark.parametrize(
    ("costs", "expected"),
    [
        ([[0.1]], [(0, 0)]),
        ([[2.0]], []),
        ([[np.inf]], []),
        ([[0.1, 0.2], [0.15, 1.9]], [(0, 1), (1, 0)]),  # the greedy choice (0, 0) costs more in all
        ([[0.1, 5.0], [0.0, 5.0]], [(1, 0)]),
        ([[0.5], [0.4], [0.6]], [(1, 0)]),
        ([[-0.3, 1.9]], [(0, 0)]),
    ],
)
def test_table(costs: list[list[float]], expected: list[tuple[int, int]]) -> None:
    assert assign(np.array(costs), ALONE) == expected


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
def test_nothing_to_pair(shape: tuple[int, int]) -> None:
    assert assign(np.zeros(shape), ALONE) == []


@given(
    arrays(
        np.float64,
        st.tuples(st.integers(1, 3), st.integers(1, 3)),
        elements=st.one_of(st.floats(-0.5, 3.0), st.just(np.inf)),
    )
)
def test_no_other_pairing_is_cheaper(costs: Costs) -> None:
    pairs = assign(costs, ALONE)
    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)
    assert all(costs[pair] < ALONE for pair in pairs)
    assert total(costs, pairs) == pytest.approx(best(costs), abs=1e-9)


def test_a_crowd_takes_no_time_to_speak_of() -> None:
    """64 faces, each nearest to itself, in shuffled order."""
    order = np.random.default_rng(0).permutation(64)
    costs = np.abs(np.arange(64)[:, None] - order[None]) / 10
    assert [order[column] for _, column in assign(costs, ALONE)] == list(range(64))
