"""What nodes, loops and networks cost, without running a tool."""
