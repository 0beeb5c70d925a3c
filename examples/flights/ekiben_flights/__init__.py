"""A year of real flights: data, honest features and two models of arrival delay."""
