"""When: sync windows, and everything else that asks the time."""
