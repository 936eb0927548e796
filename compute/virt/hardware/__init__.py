"""What flavors and images may ask of a guest's hardware: the names, the values, and what comes of them.

No Django and no libvirt: the API refuses with it, and a host builds with it.
"""

from compute.virt.hardware.kinds import Refused
from compute.virt.hardware.names import USB_MODELS, check_property, check_spec
from compute.virt.hardware.wishes import Hardware, resolve

__all__ = ["USB_MODELS", "Hardware", "Refused", "check_property", "check_spec", "resolve"]
