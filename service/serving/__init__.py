"""Serves the application so that a slow client costs a connection, never a thread.

gunicorn keeps the processes, waitress reads the requests: one loop a process takes in whole
requests and only then gives them to a thread (ADR 0010).
"""
