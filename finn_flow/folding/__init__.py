"""Choosing how parallel every node is."""
