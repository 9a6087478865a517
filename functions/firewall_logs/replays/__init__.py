"""Replays: quarantined rows through the rules of today."""
