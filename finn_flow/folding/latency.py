"""How long a lone frame takes, as rows of a linear program.

An ODE loop takes iteration by iteration, and every pass but the first and the last takes the time of the slowest node
in its body. The first pass lasts as long as what comes before delivers the frame, and the last one as long as what
follows takes it; where that is the way to the next loop, its first pass goes on at the same time. So with L loops, of
n_l iterations of p_l cycles each, and the nodes before, between and after them in L + 1 stages of s_0, ..., s_L cycles,

    latency = s_0 + ... + s_L + sum over l of (n_l - 2) p_l,   s_l >= p_l, s_{l+1} >= p_l

and a few rows of pixels in each convolution, which are left out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import LinearConstraint
from scipy.sparse import csr_array

from finn_flow.folding.candidates import Candidate
from finn_flow.folding.problem import Choice


def latency_rows(
    choices: Sequence[Choice],
    allowed: Sequence[Sequence[Candidate]],
    budget_cycles: int,
    latency_frames: float,
    columns: int,
) -> LinearConstraint:
    """Rows that hold the latency to `latency_frames` times `budget_cycles`.

    Parameters
    ----------
    allowed
        Candidates of each choice; their binary columns are the first ones, in order.
    columns
        How many there are without the new ones: s_0, ..., s_L and p_0, ..., p_{L-1}, in units of the budget, each 0 or
        more.
    """
    iterations = {choice.stage: choice.iterations for choice in choices if choice.iterations}
    loops = len(iterations)
    stage = {index: columns + index for index in range(loops + 1)}
    body = {index: columns + loops + 1 + index for index in range(loops)}
    rows: list[dict[int, float]] = []
    start = 0
    for choice, candidates in zip(choices, allowed, strict=True):
        passes = choice.iterations or 1
        row = {start + i: candidate.cycles / passes / budget_cycles for i, candidate in enumerate(candidates)}
        rows.append({**row, (body if choice.iterations else stage)[choice.stage]: -1.0})
        start += len(candidates)
    for index in range(loops):
        rows += [{body[index]: 1.0, stage[index]: -1.0}, {body[index]: 1.0, stage[index + 1]: -1.0}]
    rows.append({**dict.fromkeys(stage.values(), 1.0), **{body[i]: iterations[i] - 2.0 for i in range(loops)}})
    limits = np.zeros(len(rows))
    limits[-1] = latency_frames
    entries = [(row, column, value) for row, terms in enumerate(rows) for column, value in terms.items()]
    at_row, at_column, values = zip(*entries, strict=True)
    matrix = csr_array((values, (at_row, at_column)), shape=(len(rows), columns + 2 * loops + 1))
    return LinearConstraint(matrix, -np.inf, limits)


def widened(constraint: LinearConstraint, columns: int) -> LinearConstraint:
    """Return the same rows with further columns, which do not matter to them."""
    matrix = csr_array(constraint.A)
    matrix = csr_array((matrix.data, matrix.indices, matrix.indptr), shape=(matrix.shape[0], columns))
    return LinearConstraint(matrix, constraint.lb, constraint.ub)
