from tests.compute.api.conftest import *
from tests.compute.api.world import *
import collections, json
VALS=[None,True,1,1.5,-1,2**70,1e308,"","x"*70000,[],{},[[]],{"a":{}},["a"],[{}],[None],"\x00","\ud83d\ude42","NaN","-1","9"*30,"http://x/../1","../..","%s",{"uuid":[]},[{"uuid":{}}],[{"port":[]}],[{"fixed_ip":5,"uuid":"a"}],[{"name":{}}]]
def test_fuzz(personas, cloud, caplog):
    a=personas.admin.api; s=cloud.server.pk; img=cloud.image.pk
    res=collections.Counter(); bad=[]
    def go(m,p,b=None,v="2.96"):
        try: r=a(m,p,b,**{"OpenStack-API-Version":f"compute {v}"})
        except (UnicodeEncodeError,): return
        res[r.status_code]+=1
        if r.status_code>=500 and r.status_code not in (501,503): bad.append((m,p[:200],str(b)[:200],v,r.status_code))
    B="/compute/v2.1"
    def bodies(key,base,fields):
        for f in fields:
            for v in VALS:
                d=dict(base); d[f]=v
                yield {key:d} if key else d
    S=[("post",f"{B}/servers","server",{"name":"n","flavorRef":"1","imageRef":img,"networks":"none"},["name","flavorRef","imageRef","networks","key_name","user_data","metadata","config_drive","availability_zone","min_count","max_count","return_reservation_id","security_groups","adminPass","description","hostname","block_device_mapping_v2","block_device_mapping","accessIPv4","tags","trusted_image_certificates","host","OS-DCF:diskConfig"]),
     ("put",f"{B}/servers/{s}","server",{},["name","description","hostname","accessIPv4","OS-DCF:diskConfig"]),
     ("post",f"{B}/servers/{s}/action",None,{},["os-start","os-stop","reboot","os-getConsoleOutput","os-getVNCConsole","x"]),
     ("post",f"{B}/servers/{s}/action","reboot",{},["type"]),("post",f"{B}/servers/{s}/action","os-getConsoleOutput",{},["length"]),
     ("post",f"{B}/servers/{s}/remote-consoles","remote_console",{"protocol":"vnc","type":"novnc"},["protocol","type"]),
     ("post",f"{B}/servers/{s}/metadata",None,{},["metadata"]),("post",f"{B}/servers/{s}/metadata","metadata",{},["k","",'<b>']),("put",f"{B}/servers/{s}/metadata/k","meta",{},["k"]),
     ("post",f"{B}/flavors","flavor",{"name":"n","ram":1,"vcpus":1,"disk":1},["name","ram","vcpus","disk","swap","id","rxtx_factor","description","OS-FLV-EXT-DATA:ephemeral","os-flavor-access:is_public"]),
     ("put",f"{B}/flavors/1","flavor",{},["description"]),("post",f"{B}/flavors/1/os-extra_specs","extra_specs",{},["k","hw:x",""]),("put",f"{B}/flavors/1/os-extra_specs/k",None,{},["k"]),
     ("post",f"{B}/flavors/1/action",None,{},["addTenantAccess","removeTenantAccess"]),("post",f"{B}/flavors/1/action","addTenantAccess",{},["tenant"]),
     ("post",f"{B}/os-keypairs","keypair",{"name":"n","public_key":"ssh-rsa AAAA"},["name","public_key","type","user_id"]),
     ("put",f"{B}/os-services/{cloud.host.service.uuid}",None,{},["status","disabled_reason","forced_down"]),
     ("put",f"{B}/os-quota-sets/{personas.lab.pk}","quota_set",{},["instances","cores","ram","key_pairs","metadata_items","force","tenant_id"])]
    for m,p,key,base,fields in S:
        for b in bodies(key,base,fields): go(m,p,b)
        for v in VALS: go(m,p,v)
        if key:
            for v in VALS: go(m,p,{key:v})
    for b in bodies("keypair",{"name":"n"},["name","type","user_id"]): go("post",f"{B}/os-keypairs",b,"2.10")
    for b in bodies(None,{"host":"host1","binary":"nova-compute"},["host","binary","disabled_reason","forced_down"]):
        for w in ("enable","disable","disable-log-reason","force-down"): go("put",f"{B}/os-services/{w}",b,"2.11")
    from compute.api.v2_1.filters import known_parameters
    from compute.api.v2_1 import versions
    from urllib.parse import quote
    Q=["","x","-1","0","1","9"*30,"true","None","2020-01-01T00:00:00Z","2020-13-45T99:99:99","٣","%00","a"*5000,"[","(","1e9","0001-01-01T00:00:00+14:00","9999-12-31T23:59:59-14:00","\ud83d\ude42".encode("utf-16","surrogatepass").decode("utf-16"),"name","asc","'","\\"]
    for p in ("/servers","/servers/detail"):
        for k in sorted(known_parameters(versions.MAX)):
            for v in Q:
                go("get",f"{B}{p}?{k}={quote(v) if v!='%00' else v}&all_tenants=1"); go("get",f"{B}{p}?{k}={quote(v) if v!='%00' else v}",None,"2.1")
    for p in ("/flavors","/flavors/detail","/os-keypairs","/os-hypervisors","/os-hypervisors/detail",f"/servers/{s}/os-instance-actions","/os-services","/limits"):
        for k in ("limit","marker","sort_key","sort_dir","is_public","minRam","minDisk","user_id","with_servers","hypervisor_hostname_pattern","changes-since","changes-before","host","tenant_id"):
            for v in Q:
                for ver in ("2.1","2.74"): go("get",f"{B}{p}?{k}={quote(v) if v!='%00' else v}",None,ver)
    for p in ("networks","ports","subnets","security-groups","security-group-rules"):
        for k in ("limit","marker","sort_key","sort_dir","id","name","shared","mtu","fixed_ips","port_range_min","fields","ip_version","subnets","security_groups","cidr","page_reverse"):
            for v in Q: go("get",f"/network/v2.0/{p}?{k}={quote(v) if v!='%00' else v}")
    ids=["x","0","-1","9"*40,"%2e%2e","..","a b","%ff","%F0%9F%98%80","a"*3000,"'","%00", "null"]
    for i in ids:
        for p in ("servers/{}","servers/{}/action","servers/{}/metadata/{}","servers/{}/ips/{}","flavors/{}","flavors/{}/os-extra_specs/{}","os-keypairs/{}","os-hypervisors/{}","os-hypervisors/{}/uptime","os-hypervisors/{}/servers","os-services/{}","os-quota-sets/{}","extensions/{}","servers/{}/os-instance-actions/{}","{}"):
            for m in ("get","put","delete","post"):
                for v in ("2.1","2.60"): go(m,f"{B}/"+p.format(i,i),{} if m in("put","post") else None,v)
    print(res)
    for b in bad[:40]: print(b)
    print(len(bad))
    seen=set()
    for r in caplog.records:
        if r.exc_info and str(r.exc_info[1])[:150] not in seen: seen.add(str(r.exc_info[1])[:150]); print(r.exc_info[0],str(r.exc_info[1])[:150]); import traceback; print("".join(traceback.format_tb(r.exc_info[2])[-3:]))
