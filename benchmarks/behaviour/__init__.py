"""Behavioural tests of the stance model, after CheckList (Ribeiro et al. 2020)."""
