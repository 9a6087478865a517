"""The entry of the Fargate image: work that is too heavy for a function, done by the same domain code."""
