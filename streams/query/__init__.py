"""Answers questions about a running application's stores over HTTP."""
