"""Logs of every RDS and Aurora instance: discovered, pulled without losing a line, parsed, searchable."""
