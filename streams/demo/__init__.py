"""The demo: half a million real flights through the `flight-delays` application."""
