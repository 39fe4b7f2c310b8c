"""Matrix-vector units whose weights are constants of the hardware."""
