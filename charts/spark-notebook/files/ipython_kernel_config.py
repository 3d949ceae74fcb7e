"""What each kernel of the notebook loads when it starts."""

import sys

sys.path.append("/opt/kindling")
get_config().InteractiveShellApp.extensions = ["kindling_session"]  # noqa: F821 (IPython's own)
