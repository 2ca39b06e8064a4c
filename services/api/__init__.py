"""The API: the only service with a database, in three processes."""
