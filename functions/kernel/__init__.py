"""What every domain needs and none owns."""
