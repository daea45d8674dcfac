"""A worker's pages in the browser: what the application does at the moment, and what is in its stores and topics."""
