"""Our API in front of an OpenAI-compatible endpoint that cannot constrain its answers: they are checked here."""
