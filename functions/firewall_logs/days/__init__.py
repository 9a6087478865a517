"""Event days: when one is complete, compacted and sealed."""
