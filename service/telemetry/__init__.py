"""What a process says about itself: log lines, figures and traces. Shared by API and workers."""
