"""Every HTML page. One folder per panel; kit/ holds what all panels declare with."""
