"""The publishers that come with core."""
