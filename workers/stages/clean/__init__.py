"""First stage: which characters of the page are the article."""
