"""The command line `gatehouse`."""
