"""From findings to fixed resources: plans, approvals, steps, evidence."""
