"""Discovery: whose logs are collected, which files moved, and which of them goes first."""
