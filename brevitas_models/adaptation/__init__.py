"""Losses for unsupervised domain adaptation, one file each behind the interface of `base`."""

from typing import Annotated

from pydantic import Field

from brevitas_models.adaptation.base import AdaptationLoss, Batch
from brevitas_models.adaptation.consistency import Consistency
from brevitas_models.adaptation.coral import Coral
from brevitas_models.adaptation.distillation import Distillation
from brevitas_models.adaptation.information import InformationMaximisation
from brevitas_models.adaptation.pseudo_labels import PseudoLabels
from brevitas_models.adaptation.self_ensembling import SelfEnsembling

LOSSES: tuple[type[AdaptationLoss], ...] = (
    Consistency,
    Coral,
    Distillation,
    InformationMaximisation,
    PseudoLabels,
    SelfEnsembling,
)
AnyAdaptationLoss = Annotated[
    Consistency | Coral | Distillation | InformationMaximisation | PseudoLabels | SelfEnsembling,
    Field(discriminator="name"),
]

__all__ = ["LOSSES", "AdaptationLoss", "AnyAdaptationLoss", "Batch"]
