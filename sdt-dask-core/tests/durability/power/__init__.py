"""Power cuts, simulated: what SQLite does to its files is traced, and disks are rebuilt from parts of it."""
