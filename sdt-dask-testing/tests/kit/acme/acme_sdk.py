"""What the distribution of the plugs requires."""
