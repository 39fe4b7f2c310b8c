"""Global sum pooling: integer reference, FINN node and RTL core."""
