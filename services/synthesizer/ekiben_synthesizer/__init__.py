"""Joins the outputs of several models into one answer."""
