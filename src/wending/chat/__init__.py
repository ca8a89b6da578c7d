"""`wending chat`: a conversation in the terminal, with a model in this process or behind an HTTP API."""
