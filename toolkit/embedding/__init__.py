"""Texts in, matrix out: everything between an estimator and a backend."""
