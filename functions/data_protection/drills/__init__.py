"""Restore drills: a table is restored beside itself, looked at, timed and deleted again."""
