"""The metadata service of a host: answers http://169.254.169.254 for its guests, each of which hears of itself alone.

Who asks is known by the bridge on which the question came and by its source address, which the guard lets nobody forge. The facts
are asked of the control plane by a sealed ticket. No Django, no database.
"""
