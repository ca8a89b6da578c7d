"""HTTP only: the OpenAI-compatible API and the chat page."""
