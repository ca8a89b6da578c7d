"""Answers that keep to a grammar: which tokens may come next, and which one must."""
