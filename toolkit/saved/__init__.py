"""Folders that hold something fitted: written whole, checked before anything in them is built.

What model folders (:mod:`toolkit.classify`) and clustering folders (:mod:`toolkit.cluster`) share,
and the log of a run that uses one.
"""
