"""Losses for unsupervised domain adaptation, one file each behind the interface of `base`."""

from typing import Annotated

from pydantic import Field

from brevitas_models.adaptation.base import AdaptationLoss, Batch
from brevitas_models.adaptation.coral import Coral
from brevitas_models.adaptation.information import InformationMaximisation
from brevitas_models.adaptation.pseudo_labels import PseudoLabels

LOSSES: tuple[type[AdaptationLoss], ...] = (Coral, InformationMaximisation, PseudoLabels)
AnyAdaptationLoss = Annotated[Coral | InformationMaximisation | PseudoLabels, Field(discriminator="name")]

__all__ = ["LOSSES", "AdaptationLoss", "AnyAdaptationLoss", "Batch"]
