"""Self-training: labels guessed from the features' clusters once per epoch, then cross-entropy on them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from brevitas_models.adaptation.base import AdaptationLoss, Batch
from brevitas_models.memory import images_at_once
from brevitas_models.networks import ODENet
from finn_flow.errors import FlowError

CHUNK = 512
"""Images per forward pass, at most, when the whole target set is looked at."""


def cluster_labels(features: Tensor, logits: Tensor) -> tuple[Tensor, Tensor]:
    """Labels [N] and margins [N] of target images from their features [N, C] and logits [N, classes].

    Class centres are first the means of the features weighted by the predicted probabilities, then the means of the
    images nearest to them by cosine. The margin is how much nearer the best centre is than the second best, 0 to 2.
    A class that no image is nearest to keeps its first centre.

    Raises
    ------
    FlowError
        The network is dead: it sees no difference between the images, so that there are no clusters.
    """
    if len(features) > 1 and not bool((features != features[0]).any()):
        raise FlowError(
            f"the network is dead: its features are the same for all {len(features)} target images; "
            "a lower learning rate or another seed in the config may help"
        )
    features = functional.normalize(features, dim=1)
    probabilities = logits.softmax(dim=1)
    centres = functional.normalize(probabilities.T @ features, dim=1)
    members = functional.one_hot((features @ centres.T).argmax(dim=1), logits.shape[1]).to(features.dtype)
    refined = functional.normalize(members.T @ features, dim=1)
    centres = torch.where(members.any(dim=0)[:, None], refined, centres)
    best = (features @ centres.T).topk(2, dim=1)
    return best.indices[:, 0], best.values[:, 0] - best.values[:, 1]


class PseudoLabels(AdaptationLoss):
    """Cross-entropy of the target's (augmented) images on labels that `cluster_labels` gave the plain images.

    Source: SHOT (see `information`), equations 5 to 7; the selection by margin is ours.

    Parameters
    ----------
    keep
        Share of the images, those with the largest margins, that get a label, more than 0 to 1.
    """

    name: Literal["pseudo_labels"] = "pseudo_labels"
    keep: Annotated[float, Field(gt=0, le=1)] = 1.0

    def prepare(self, network: ODENet, target_images: Tensor) -> Tensor:
        """Labels int64 [N]; -1 where the margin is too small."""
        features, logits = [], []
        for images in target_images.split(images_at_once(network.config, CHUNK)):
            found = network.features(images.float() * 2.0**-8)
            features.append(found)
            logits.append(network.classifier(found))
        labels, margins = cluster_labels(torch.cat(features).float(), torch.cat(logits).float())
        kept = margins.argsort(descending=True, stable=True)[: max(1, round(self.keep * len(labels)))]
        selected = torch.full_like(labels, -1)
        selected[kept] = labels[kept]
        return selected

    def loss(self, batch: Batch, prepared: Any) -> Tensor:
        labels = prepared[batch.target_indices]
        total = functional.cross_entropy(batch.target_logits.float(), labels, ignore_index=-1, reduction="sum")
        return total / max(1, int((labels >= 0).sum()))
