"""Matrix-vector unit that sums along cascades of DSPs."""
