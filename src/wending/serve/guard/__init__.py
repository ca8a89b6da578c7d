"""Our API in front of an endpoint that cannot constrain its answers: they are checked here instead."""
