"""All that touches FINN's insides or its environment."""
