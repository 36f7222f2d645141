"""Random articles, pages and request bodies, and what must hold for each of them."""
