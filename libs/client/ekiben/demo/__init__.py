"""`ekiben demo`: train, deploy, replay a season of real flights, and account for every request."""
