"""Requantisation by multiplication, addition and shift: solver, integer reference, FINN nodes and RTL cores."""
