"""Records to a search engine: documents, bulk requests, and what the answers mean."""
