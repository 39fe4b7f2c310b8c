"""What surrounds the accelerator on the board: DMA channels, block design, the script that builds the bitfile."""
