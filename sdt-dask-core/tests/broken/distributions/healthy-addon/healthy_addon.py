"""An addon with nothing wrong."""


class HealthyAddon:
    """Lets every key run."""

    def admit_key(self, key):
        return None
