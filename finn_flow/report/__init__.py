"""What a build tells its user."""
