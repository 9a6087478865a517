"""Real servers whose real logs the API serves: each in a folder of its own, on a Unix socket, as an ordinary user."""
