"""What the log API of RDS does, without sockets: estates, instances, log files, markers, faults, and the truth."""
