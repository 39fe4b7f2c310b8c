"""Training: a validated config, float pre-training, quantisation-aware training, domain adaptation, resuming."""

from brevitas_models.training.config import TrainingConfig, load_training_config
from brevitas_models.training.trainer import train

__all__ = ["TrainingConfig", "load_training_config", "train"]
