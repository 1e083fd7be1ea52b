"""The registry of a service's metrics, with those of its process. A service declares its own in its `metrics.py`."""

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

# Bounds of histograms, from a cache hit to a request that waits for a broker to restart.
SECONDS_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


def new_registry() -> CollectorRegistry:
    """Return a registry that already has memory, CPU, open files and garbage collection of this process."""
    registry = CollectorRegistry(auto_describe=True)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry
