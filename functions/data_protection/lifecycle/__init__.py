"""S3 lifecycle configurations: what their rules say, what AWS takes, what they do to an object, and how to merge."""
