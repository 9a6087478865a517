"""What `gatehouse demo` processes: raw logs, and the record of what was planted in them."""
