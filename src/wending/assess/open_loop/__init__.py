"""Open-loop load: requests at their times, whatever becomes of others; what `wending load` runs."""
