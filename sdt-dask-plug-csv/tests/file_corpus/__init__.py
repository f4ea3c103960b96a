"""Files as a user's folder has them: those that are read, with the power known, and those that are not."""
