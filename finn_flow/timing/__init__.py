"""Static timing of the mapped netlist by a written-down delay model: estimates, not Vivado's figures."""
