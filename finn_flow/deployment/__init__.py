"""What runs on the board, and how it is packaged."""
