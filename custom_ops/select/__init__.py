"""One of two streams, chosen by the iteration: integer reference, ops on both levels and RTL core."""
