"""Drift: what passed and was changed back, found at once by CloudTrail's events and fixed where the profile allows."""
