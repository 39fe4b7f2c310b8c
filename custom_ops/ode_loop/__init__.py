"""The ODE loop: one body that runs a fixed number of times on its own result."""
