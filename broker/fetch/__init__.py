"""What a fetch is made of: the request as it is read, the sessions of clients, the answer as it is written."""
