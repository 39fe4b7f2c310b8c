"""One of several streams that lie side by side: integer reference, ops on both levels and RTL core."""
