"""Where records of a log begin: all that must be known to collect it. Plain Python, one module a family of grammars."""
