"""What the API answers to, one module a noun."""
