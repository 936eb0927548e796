"""One module per subcommand of `./nebulet`; each has `run(config, options) -> exit code`."""
