"""Secure creation: resources that are protected from their first moment on, made once, however often it is asked."""
