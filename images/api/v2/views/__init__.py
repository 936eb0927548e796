"""One file for each resource of the Image API."""
