"""The K largest logits' indices: integer reference, FINN node and RTL core."""
