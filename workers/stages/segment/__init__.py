"""Second stage: sentences with exact offsets."""
