import { output } from "../test/support/command.ts";
import type { Command } from "./contenders.ts";

/** What lies between the registry and the tools. */
export interface Link extends AsyncDisposable {
  readonly name: string;
  /** The address that the registry is to listen on. */
  readonly address: string;
  /** A command, run on the tools' side of the link. */
  across(command: Command): Command;
}

export const loopback: Link = {
  name: "loopback",
  address: "127.0.0.1",
  across: (command) => command,
  [Symbol.asyncDispose]: async () => {},
};

// Of TEST-NET-2 (RFC 5737), which no network uses. The registry is this machine, the tools are in a namespace.
const registrySide = "198.51.100.1";
const toolSide = "198.51.100.2";

/** A bucket this deep holds what the kernel sends in one piece, and is empty after 2 ms. */
const shape = ["rate", "1gbit", "burst", "256kb", "latency", "20ms"];

/**
 * A link of 1 Gbit/s in each direction: a pair of virtual interfaces, one of them in a network namespace, each with a
 * token bucket (tc-tbf). Bare `curl` reaches 118 MB/s through it, what gigabit Ethernet carries of TCP.
 *
 *   docker-registry ── veth ══ 1 Gbit/s ══ veth │ namespace: oci-unpack, skopeo, podman, curl
 */
export async function gigabit(): Promise<Link> {
  const namespace = `oci-unpack-${process.pid}`;
  const [near, far] = [`ocu${process.pid}n`, `ocu${process.pid}f`];
  const inside = (command: Command): Command => ["nsenter", `--net=/run/netns/${namespace}`, ...command];
  const remove = async () => void (await output("ip", ["netns", "delete", namespace])); // and its interfaces with it
  await output("ip", ["netns", "add", namespace]);
  try {
    const steps: readonly Command[] = [
      ["ip", "link", "add", near, "type", "veth", "peer", "name", far, "netns", namespace],
      ["ip", "address", "add", `${registrySide}/30`, "dev", near],
      ["ip", "link", "set", near, "up"],
      ["tc", "qdisc", "add", "dev", near, "root", "tbf", ...shape],
      inside(["ip", "address", "add", `${toolSide}/30`, "dev", far]),
      inside(["ip", "link", "set", far, "up"]),
      inside(["ip", "link", "set", "lo", "up"]),
      inside(["tc", "qdisc", "add", "dev", far, "root", "tbf", ...shape]),
    ];
    for (const [program, ...args] of steps) await output(program, args);
  } catch (error) {
    await remove();
    throw error;
  }
  return { name: "1 Gbit/s", address: registrySide, across: inside, [Symbol.asyncDispose]: remove };
}
