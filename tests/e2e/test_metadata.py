"""A real guest asks 169.254.169.254 about itself."""

import base64

import pytest

from tests.e2e.cloud import Api
from tests.kit.waiting import wait_for

pytestmark = [pytest.mark.real, pytest.mark.hypervisor]

SERVICE = "http://169.254.169.254"
SCRIPT = f"""#!/bin/sh
echo uuid $(wget -q -O - {SERVICE}/openstack/latest/meta_data.json | tr , '\\n' | grep uuid)
echo address $(wget -q -O - {SERVICE}/latest/meta-data/local-ipv4)
echo script $(wget -q -O - {SERVICE}/latest/user-data | head -n 1)
echo forged $(wget -q --header "X-Forwarded-For: 127.0.0.1" --header "X-Instance-ID: 1" -O - {SERVICE}/latest/meta-data/local-ipv4)
echo password $(wget -q --post-data sealed -O - {SERVICE}/openstack/latest/password) $?
echo kept $(wget -q -O - {SERVICE}/openstack/latest/password)
echo again $(wget -q --post-data other -O - {SERVICE}/openstack/latest/password || echo refused)
echo asked everything
"""


def test_a_guest_learns_about_itself_from_the_famous_address(cloud):
    api = Api(cloud)
    server_id = api.create("curious", user_data=base64.b64encode(SCRIPT.encode()).decode(), config_drive=False)
    server = api.wait(server_id)
    address = server["addresses"]["private"][0]["addr"]
    try:
        wait_for("the script's end", lambda: "asked everything" in api.log(server_id), 120, every=1)
        log = api.log(server_id)
    finally:
        api.delete(server_id)

    assert "metadata read from http://169.254.169.254/openstack/latest" in log
    assert "curious login:" in log
    assert f'"uuid": "{server_id}"' in log
    assert f"address {address}" in log
    assert "script #!/bin/sh" in log
    assert f"forged {address}" in log
    assert "kept sealed" in log
    assert "again refused" in log
