"""What runs Nebulet: the launcher behind `./nebulet`, and units for systemd."""
