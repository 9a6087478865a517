"""Profiles that come with the application."""
