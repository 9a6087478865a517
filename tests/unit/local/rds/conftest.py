"""The fixture of all tests here."""

from tests.support.rds import rds_api

__all__ = ["rds_api"]
