"""The one command `./nebulet`. Standard library only, since it runs before the virtual environment exists."""
