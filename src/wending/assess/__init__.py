"""The examination: speaks the OpenAI protocol over HTTP and imports nothing of serve, engine or model."""
