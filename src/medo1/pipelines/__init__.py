"""The pipelines: one folder each, wiring in pipeline.py, thin functions in nodes.py, typed parameters in params.py."""
