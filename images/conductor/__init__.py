"""What the conductor does for images."""
