"""Trains, analyses, calibrates and announces models."""
