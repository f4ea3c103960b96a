"""The clients that come with core: this machine, and a cluster that already runs."""
