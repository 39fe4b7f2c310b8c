"""Graph transformations, by qonnx's contract: from exported networks to rolled, integer and hardware graphs."""
