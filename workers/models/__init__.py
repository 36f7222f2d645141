"""Models from disk: manifests, sessions, words and windows; others by name. No news rules."""
