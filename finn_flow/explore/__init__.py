"""Design-space exploration: Optuna chooses networks, foldings and clocks, Dask distributed runs them."""
