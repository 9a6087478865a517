"""Collection: from a task to raw segments, a position that never runs ahead of them, and a ledger of bytes."""
