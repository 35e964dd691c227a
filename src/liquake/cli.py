"""The door: arguments to settings, settings to one run."""


def main() -> int:
    """Run the command line."""
    return 0
