"""What calls AWS."""
