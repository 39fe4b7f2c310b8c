"""Depthwise convolution with implicit zero padding: integer reference, FINN node and RTL core."""
