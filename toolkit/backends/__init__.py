"""Sources of vectors: one file per server or engine, and the protocol they share."""
