"""The database: its tables, its transactions, and its way forward."""
