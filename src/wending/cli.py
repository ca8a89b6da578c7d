"""The command line: parses, calls, prints. Everything heavy is imported inside the command that needs it."""
