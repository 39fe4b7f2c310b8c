"""Quantised and float (ds)ODENets: networks, solvers, quantisers, data sets, training and export."""
