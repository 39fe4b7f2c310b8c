"""Whole accelerators in simulation, against golden results."""
