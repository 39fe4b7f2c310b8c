"""Thresholding with one threshold set per solver iteration: integer reference, FINN node and RTL core."""
