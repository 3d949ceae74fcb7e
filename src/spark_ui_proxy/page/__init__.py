"""What people see in a browser: templates, styles, the script, and the handlers that serve them."""
