"""httpx without its command line, which imports rich, click and pygments: a sixth of what a start of `run` takes."""

from collector.optional import without

with without("httpx._main"):
    import httpx

__all__ = ["httpx"]
