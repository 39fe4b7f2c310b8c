"""Several streams side by side in one: integer reference, ops on both levels and RTL core."""
