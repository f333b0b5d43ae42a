"""Asking any OpenAI-compatible endpoint: the `openai` engine, live or by the Batch API.

openai.py     the engine: options, identity, its loop and its connections
sending.py    requests in flight: retries, rejected parameters, giving up
limits.py     the rate limits of one endpoint and how they adapt
chat.py       a request as the protocol's body, a body as a completion
fleet.py      several endpoints that serve one model
batch.py      the Batch API: files, jobs, resuming
secrets.py    keys, and texts without them
"""
