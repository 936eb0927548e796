"""The Image API's calls about caches: they speak of hosts, which the image service does not know."""
