"""Hardware ops of the accelerator (FINN custom ops with RTL) and the ops that the transformations introduce."""
