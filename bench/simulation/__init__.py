"""Simulated assessments: the assessment's own code against endpoints of which everything is known."""
