"""The embedded cloud for newcomers and tests: the real template on a machine without AWS. Never deployed."""
