"""The registry of a service's metrics, with those of its process and build. A service declares its own by itself."""

from prometheus_client import CollectorRegistry, Gauge, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client import metrics as prometheus_metrics

from services.runtime.observability import version

# Bounds of histograms, from a cache hit to a request that waits for a broker to restart.
SECONDS_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


def new_registry() -> CollectorRegistry:
    """Return a registry that already has memory, CPU, open files and garbage collection of this process, and its build.

    From here on no metric tells when it was created: those series would be a fifth of all, and nothing asks for them.
    """
    prometheus_metrics.disable_created_metrics()  # type: ignore[no-untyped-call]  # it takes and returns nothing
    registry = CollectorRegistry(auto_describe=True)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    build = version.find_build()
    Gauge("dondoc_build_info", "1, with the release that runs", ["version", "commit"], registry=registry).labels(
        build.version, build.commit
    ).set(1)
    return registry
