"""What the base of the local images takes of the machine that builds it."""

import io
import tarfile
from pathlib import Path

from deploy.docker import python_base
from deploy.docker.packing import Root


def test_nothing_of_this_machines_settings_gets_into_an_image():
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        python_base.pack(Root(tar))
    packed.seek(0)
    with tarfile.open(fileobj=packed) as tar:
        names = {f"/{name}" for name in tar.getnames()}
    assert f"/usr/local/bin/{python_base.MAJOR_MINOR}" in names
    ours = {"/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/ssl/certs/ca-certificates.crt"}
    assert {name for name in names if Path(name).is_relative_to("/etc")} <= {"/etc", *ours}
    assert not [name for name in names if name.startswith(("/root/", "/home"))]
