"""Reading HTML pages, in a process that can be stopped."""
