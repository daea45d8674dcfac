"""Sockets: connections, dispatch, life of the server."""
