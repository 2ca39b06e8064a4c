"""Recording: what workers tell, turned into moves of submissions."""
