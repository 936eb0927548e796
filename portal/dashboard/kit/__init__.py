"""What every panel is declared with: pages, live tables, row actions, forms."""
