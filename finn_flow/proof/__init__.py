"""Every build proves itself: the forms of a network against the model as it was given."""

from finn_flow.proof.prove import Proof

__all__ = ["Proof"]
