"""Steps between an image's bytes as they came and as they are kept: each a function of the image and of a staged file."""
