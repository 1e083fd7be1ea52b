"""`python -m services.intake`: run the service until a signal stops it."""

from services.runtime import process

if __name__ == "__main__":
    process.run_service("services.intake.app")
