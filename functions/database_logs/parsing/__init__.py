"""Segments of log files to typed frames, one module a grammar."""
