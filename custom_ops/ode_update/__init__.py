"""One Euler update of the state: integer reference, FINN node and RTL core."""
