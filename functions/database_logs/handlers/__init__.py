"""What AWS calls: one module a function."""
