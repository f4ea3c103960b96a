"""What a run came to, as tables for people and programs."""
