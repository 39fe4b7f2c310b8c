"""The code that goes to the board: Python 3.10, NumPy and Pillow only."""
