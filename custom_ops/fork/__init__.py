"""Stream fork: integer reference, FINN node and RTL core."""
