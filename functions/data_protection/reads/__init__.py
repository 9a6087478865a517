"""The calls that read, by service."""
