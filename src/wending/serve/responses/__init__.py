"""OpenAI's Responses API, without memory: each request brings its whole conversation."""
