"""Programs that use the API of a Soundsite, to copy from."""
