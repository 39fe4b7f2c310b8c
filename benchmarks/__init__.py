"""Prints every figure that the project claims."""
