"""Requests that come with Gatehouse, by name."""
