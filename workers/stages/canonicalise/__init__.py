"""Fifth stage: who the mentions mean within one article, and who the sources are."""
