"""What a server is told of itself."""

import base64

import pytest

from compute.models import ServerDefinition
from compute.network.models import Network, Port, Subnet
from compute.network.services import ports
from compute.services import instance_data, vendor_data
from compute.services.build import spawn_command
from tests.kit.compute import ServerFactory

XML = """<domain><devices><interface type="bridge"><mac address="{}"/>
<address type="pci" domain="0x0000" bus="0x00" slot="0x03" function="0x0"/></interface></devices></domain>"""


@pytest.fixture
def server(cloud):
    return cloud.create(name="web", metadata={"role": "web"})


def test_a_server_knows_its_name_place_and_keys(server):
    server.key_name, server.public_key, server.availability_zone = "mine", "ssh-ed25519 AAAA me", "nova"

    told = instance_data.collect(server)

    assert told.meta_data["uuid"] == server.pk
    assert told.meta_data["availability_zone"] == "nova"
    assert told.meta_data["meta"] == {"role": "web"}
    assert told.meta_data["keys"] == [{"name": "mine", "type": "ssh", "data": "ssh-ed25519 AAAA me"}]
    assert told.meta_data["public_keys"] == {"mine": "ssh-ed25519 AAAA me"}
    assert len(base64.b64decode(told.meta_data["random_seed"])) == 512
    assert told.ec2_data["instance-id"] == f"i-{server.number_id:08x}"
    assert told.ec2_data["public-keys"]["0"]["_name"] == "0=mine"
    assert told.ec2_data["block-device-mapping"] == {"ami": "vda", "root": "/dev/vda"}
    assert told.ec2_data["security-groups"] == ["default"]


def test_no_two_servers_and_no_two_boots_have_the_same_seed(server):
    seeds = {instance_data.collect(server).meta_data["random_seed"] for _ in range(3)}

    assert len(seeds) == 3


def test_where_addresses_come_by_dhcp_the_server_is_told_just_that(server):
    [port] = Port.objects.filter(device_id=server.pk)

    told = instance_data.collect(server).network_data

    assert told["links"] == [
        {
            "id": f"tap{port.pk[:11]}",
            "vif_id": port.pk,
            "type": "bridge",
            "mtu": 1500,
            "ethernet_mac_address": port.mac_address,
        }
    ]
    assert told["networks"] == [
        {"id": "network0", "type": "ipv4_dhcp", "link": f"tap{port.pk[:11]}", "network_id": port.network_id}
    ]
    assert told["services"][0]["address"] == port.network.subnets.get().gateway_ip


def test_without_dhcp_the_server_is_told_its_address_routes_and_resolvers(cloud):
    network = Network.objects.create(name="quiet", shared=True, bridge="nbr-quiet")
    Subnet.objects.create(
        network=network,
        cidr="10.99.0.0/24",
        gateway_ip="10.99.0.1",
        enable_dhcp=False,
        allocation_pools=[{"start": "10.99.0.10", "end": "10.99.0.19"}],
        dns_nameservers=["10.99.0.2", "10.99.0.3"],
        host_routes=[{"destination": "10.50.0.0/16", "nexthop": "10.99.0.9"}],
    )
    server = ServerFactory(project_id=cloud.ctx.project_id)
    ports.allocate(ctx=cloud.ctx, project_id=server.project_id, device_id=server.pk, networks=[{"uuid": network.pk}])

    [told] = instance_data.collect(server).network_data["networks"]

    assert (told["type"], told["netmask"]) == ("ipv4", "255.255.255.0")
    assert told["ip_address"].startswith("10.99.0.1")
    assert told["routes"] == [
        {"network": "0.0.0.0", "netmask": "0.0.0.0", "gateway": "10.99.0.1"},
        {"network": "10.50.0.0", "netmask": "255.255.0.0", "gateway": "10.99.0.9"},
    ]
    assert [service["address"] for service in told["services"]] == ["10.99.0.2", "10.99.0.3"]


def test_a_tagged_card_is_named_and_found_on_its_bus_once_the_guest_ran(server):
    assert instance_data.collect(server).meta_data["devices"] == []
    [port] = Port.objects.filter(device_id=server.pk)
    Port.objects.filter(pk=port.pk).update(tag="public")
    card = {"type": "nic", "mac": port.mac_address, "tags": ["public"], "vf_trusted": False}

    assert instance_data.collect(server).meta_data["devices"] == [{**card, "bus": "none", "address": "none"}]
    ServerDefinition.objects.create(server=server, host="h", xml=XML.format(port.mac_address), request_id="req-1")
    assert instance_data.collect(server).meta_data["devices"] == [{**card, "bus": "pci", "address": "0000:00:03.0"}]


@pytest.mark.parametrize(
    ("content", "told"), [('{"cloud-init": "#cloud-config"}', {"cloud-init": "#cloud-config"}), ("[1]", {}), ("{", {})]
)
def test_vendor_data_is_read_again_when_its_file_changes(settings, tmp_path, content, told):
    settings.VENDOR_DATA_FILE = tmp_path / "vendor_data.json"
    assert vendor_data.current() == {}
    settings.VENDOR_DATA_FILE.write_text(content)

    assert vendor_data.current() == told


def test_a_host_gets_the_documents_only_for_a_config_drive(cloud):
    for wanted in (True, False):
        server = cloud.create(config_drive=wanted)
        assert bool(spawn_command(server, cloud.image).guest.meta_data) is wanted


def test_an_image_can_insist_on_a_config_drive(cloud):
    cloud.image.properties.create(name="img_config_drive", value="mandatory")

    assert cloud.create(config_drive=False).config_drive
