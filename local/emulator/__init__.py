"""What runs inside MiniStack's process: the standard library, MiniStack and nothing else.

Everything here changes MiniStack 1.5.33 through private names that `seams.py` checks at start; each change is backed
by a test in `tests/cloud/`.
"""
