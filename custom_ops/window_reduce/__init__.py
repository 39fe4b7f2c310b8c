"""Sliding windows reduced channel by channel: integer reference, FINN node and RTL core."""
