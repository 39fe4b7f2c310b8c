"""Depths of FIFOs and frames in flight, measured in simulation."""
