"""Tables of codes: integer reference, op of integer graphs, FINN node and RTL core."""
