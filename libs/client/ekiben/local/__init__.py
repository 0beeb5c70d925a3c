"""The whole system on this machine: what `ekiben up` supervises, and `ekiben demo` and tests borrow."""
