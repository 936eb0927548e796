"""What the actions of POST /servers/{id}/action do, one file per family; the view puts their tables together."""
