"""Write what is made from the alert rules of Prometheus: `python -m deploy.kubernetes`."""

from pathlib import Path

ALERTS = Path(__file__).parents[1] / "prometheus/alerts.yml"
RULES = Path(__file__).parent / "components/prometheus-operator/rules.yaml"
HEAD = """\
# Made by `python -m deploy.kubernetes` from deploy/prometheus/alerts.yml; a test holds it to that.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: {name: dondoc, labels: {app.kubernetes.io/part-of: dondoc}}
spec:
"""


def render_rules(alerts: str) -> str:
    """Return the PrometheusRule that holds the groups of *alerts*, an alert file of Prometheus."""
    return HEAD + "".join(f"  {line}\n" if line else "\n" for line in alerts.splitlines())


def main() -> None:
    """Write the file."""
    RULES.write_text(render_rules(ALERTS.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
