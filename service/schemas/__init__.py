"""Marshmallow schemas: what comes in, what goes out, and so the published contract."""
