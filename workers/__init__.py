"""The Celery process: claims jobs, runs the pipeline and stores analyses."""
