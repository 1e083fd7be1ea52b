"""Write what is made from the table of rights: `python -m deploy.kafka`."""

from pathlib import Path

from deploy.kafka import rendering

ROOT = Path(__file__).parents[2]
FILES = {
    ROOT / "deploy/kafka/acls.sh": rendering.render_script,
    ROOT / "deploy/kafka/strimzi.yaml": rendering.render_manifests,
    ROOT / "docs/reference/acls.md": rendering.render_page,
}


def main() -> None:
    """Write every file."""
    for path, render in FILES.items():
        path.write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    main()
