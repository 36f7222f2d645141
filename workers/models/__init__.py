"""Models from disk: manifests, sessions, words and windows. No news rules here."""
