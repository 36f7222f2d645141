"""Alembic's scripts; `service/store/migrate.py` runs them."""
