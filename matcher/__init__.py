"""A visitor's query by example: the upload, its job and the matches."""
