"""The cheapest way to pair two small groups."""

import numpy as np
from numpy.typing import NDArray


def assign(costs: NDArray[np.float64], alone: float) -> list[tuple[int, int]]:
    """Pairs (row, column), each row and column in one at most, with the least total cost.

    A row that stays alone costs `alone`, so it takes no column that costs as much or more. This is the
    Hungarian method (Kuhn 1955; Munkres 1957) in its O(n^3) form with potentials, over the columns and one
    further column a row that stands for "alone".

    Args:
        costs: R x C, no NaN; infinite where a pair is impossible.
        alone: finite.
    """
    columns = costs.shape[1]
    table = np.hstack([np.minimum(costs, alone), np.full((len(costs), len(costs)), alone)])
    row_of = _solve(table)
    return sorted(
        (int(row), column)
        for column, row in enumerate(row_of[:columns])
        if row >= 0 and costs[row, column] < alone
    )


def _solve(table: NDArray[np.float64]) -> NDArray[np.int64]:
    """The row of each column (-1: none) in the cheapest assignment of all rows; R x C with R <= C.

    Column 0 of the work arrays is a root where each new row starts its search for an augmenting path.
    """
    rows, columns = table.shape
    row_price, column_price = np.zeros(rows), np.zeros(columns + 1)
    row_of = np.full(columns + 1, -1)
    for row in range(rows):
        row_of[0] = row
        column = 0
        slack = np.full(columns + 1, np.inf)
        previous = np.zeros(columns + 1, np.int64)
        reached = np.zeros(columns + 1, dtype=bool)
        while row_of[column] >= 0:
            reached[column] = True
            at = row_of[column]
            reduced = table[at] - row_price[at] - column_price[1:]
            nearer = ~reached[1:] & (reduced < slack[1:])
            slack[1:][nearer] = reduced[nearer]
            previous[1:][nearer] = column
            following = int(np.where(reached, np.inf, slack)[1:].argmin()) + 1
            step = slack[following]
            row_price[row_of[reached]] += step
            column_price[reached] -= step
            slack[~reached] -= step
            column = following
        while column:
            row_of[column] = row_of[previous[column]]
            column = int(previous[column])
    return row_of[1:]
