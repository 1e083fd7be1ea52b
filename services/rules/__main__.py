"""`python -m services.rules`: run the service until a signal stops it."""

from services.runtime import process

if __name__ == "__main__":
    process.run_service("services.rules.app")
