"""The stages of the pipeline, one folder each; `workers/pipeline.py` puts them in order."""
