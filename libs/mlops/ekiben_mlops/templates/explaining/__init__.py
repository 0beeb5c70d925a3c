"""What moved the answers of a model, by the columns of its signature: SHAP, in units of the answer."""
