"""How well parameters suit pictures, judged without labels."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.integer[Any]]

WORSE = 0.02
"""By how much of its greatest value the information may fall before a change counts as for the worse."""


@dataclass(frozen=True)
class Scores:
    """Scores of predictions.

    Parameters
    ----------
    entropy
        Mean entropy of a prediction as a share of the greatest, 0 (certain) to 1.
    classes
        Effective number of classes that are predicted: exp of the entropy of the mean prediction.
    margin
        Mean distance between the probabilities of the best and the second class, 0 to 1.
    information
        Mutual information between pictures and classes as a share of the greatest, 0 to 1: certain predictions of all
        classes. Source: Krause et al., "Discriminative clustering by regularized information maximization", 2010.
    """

    entropy: float
    classes: float
    margin: float
    information: float

    @classmethod
    def of(cls, values: Values, scale: float) -> Scores:
        """Judge values [N, classes] that stand for `values * scale`."""
        logits = values * scale
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        share = powers / powers.sum(axis=1, keepdims=True)
        greatest = np.log(share.shape[1])
        each, mean = _entropy(share).mean(), _entropy(share.mean(axis=0))
        ordered = np.sort(share, axis=1)
        margin = (ordered[:, -1] - ordered[:, -2]).mean()
        numbers = each / greatest, np.exp(mean), margin, (mean - each) / greatest
        return cls(*(float(number) for number in numbers))

    def is_worse_than(self, other: Scores) -> bool:
        """Whether these speak against a change from `other` to these."""
        return self.information < other.information - WORSE

    def to_json(self) -> dict[str, float]:
        """Return all scores by name."""
        return asdict(self)

    def __str__(self) -> str:
        return (
            f"information {self.information:.3f}, entropy {self.entropy:.3f}, effective classes {self.classes:.1f}, "
            f"margin {self.margin:.3f}"
        )


def _entropy(share: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(-(share * np.log(np.maximum(share, 1e-300))).sum(axis=-1))
