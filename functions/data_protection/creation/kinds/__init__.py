"""What can be made, a module each kind."""
