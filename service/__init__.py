"""The web process: accepts articles, answers with jobs, serves results. Knows nothing of models."""
