"""Multiplication by a matrix of constants without multipliers: a graph of adders, its RTL and its FINN node."""
