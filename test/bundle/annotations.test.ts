import assert from "node:assert/strict";
import { test } from "node:test";
import { annotationsOf } from "../../src/bundle/annotations.ts";

const platform = { os: "linux", architecture: "amd64" };

test("labels become annotations, and win over what is derived from the configuration", () => {
  const labels = { "com.example.a": "b", "org.opencontainers.image.author": "a label", maintainer: "x", "": "y" };
  const { annotations, leftOut } = annotationsOf({ platform, diffIDs: [], execution: { labels }, author: "somebody" });
  assert.deepEqual(annotations, {
    "org.opencontainers.image.os": "linux",
    "org.opencontainers.image.architecture": "amd64",
    ...labels,
  });
  assert.deepEqual(leftOut, []);
});

test("labels that a runtime would obey as annotations are left out, whoever's they are", () => {
  const obeyed = [
    "run.oci.seccomp.plugins",
    "run.oci.hooks.stdout",
    "org.systemd.property.ExecStartPre",
    "org.criu.config",
    "module.wasm.image/variant",
    "io.katacontainers.config.hypervisor.path",
    "dev.gvisor.spec.rootfs.source",
    "io.kubernetes.cri.container-type",
    "io.kubernetes.cri-o.Devices",
    "io.containerd.runc.v2.group",
    "io.containers.seccomp.profile",
    "io.podman.annotations.privileged",
    "cdi.k8s.io/all",
    "nvidia.cdi.k8s.io/container",
    "cpu-quota.crio.io",
    "containerd.io/runtime-allow-mounts",
    "container.seccomp.security.alpha.kubernetes.io/x",
  ];
  const passedOn = ["run.ocitool", "io.kubernetesque", "com.docker.compose.project", "org.opencontainers.image.title"];
  const labels = Object.fromEntries([...obeyed, ...passedOn].map((name) => [name, "1"]));
  const { annotations, leftOut } = annotationsOf({ platform, diffIDs: [], execution: { labels } });
  assert.deepEqual(leftOut, obeyed);
  for (const name of passedOn) assert.equal(annotations[name], "1", name);
});
