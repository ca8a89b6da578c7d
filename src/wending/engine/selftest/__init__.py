"""Whether the same request gives the same bytes, on the user's model and machine, whatever happens."""
