"""Features that requests do not bring: asked of a feature store, before any model is."""
