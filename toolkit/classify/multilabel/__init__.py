"""Texts with several labels each, or none: training, scores and evaluation."""
