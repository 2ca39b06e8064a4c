"""What the services share; import the module you mean."""
