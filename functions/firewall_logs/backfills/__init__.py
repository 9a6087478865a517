"""Backfills: everything of a feed, a range of days or a list, brought into the lake in waves."""
