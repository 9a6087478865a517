"""The checks, one a module."""
