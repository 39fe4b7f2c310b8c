"""A factor and an offset for each channel: integer reference, FINN node and RTL core."""
