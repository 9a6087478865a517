"""Conflicts between requirements, a module each."""
