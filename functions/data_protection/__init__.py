"""Data protection of AWS accounts: score, plan, approve, fix, verify, undo."""
