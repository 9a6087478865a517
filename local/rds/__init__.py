"""A local server that behaves as the log API of Amazon RDS does, with its ways of losing lines. Never deployed."""
