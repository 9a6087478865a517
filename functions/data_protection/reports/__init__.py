"""What people and other tools are told of an assessment. Pure: the same findings always become the same files."""
