"""The pure core: what an article, a job and an analysis are. Imports nothing of ours."""
