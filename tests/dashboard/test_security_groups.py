def test_probe(world, browse):
    for path in ("/security-groups/", "/networks/", "/networks/new/", "/security-groups/new/"):
        for who in ("member", "reader", "admin"):
            a = browse(who).get(path)
            assert a.status_code == 200, (path, a.text)
    from compute.network.models import SecurityGroup

    g = SecurityGroup.objects.get(name="default", project_id=world.people.lab.pk)
    for path in (
        f"/security-groups/{g.pk}/",
        f"/security-groups/{g.pk}/rules/new/",
        f"/security-groups/{g.pk}/actions/edit/",
        f"/security-groups/{g.pk}/actions/delete/",
    ):
        a = browse("member").get(path)
        assert a.status_code == 200, (path, a.text)
        print(a.text[3000:])
