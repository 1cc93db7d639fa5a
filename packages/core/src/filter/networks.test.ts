import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isNetwork, NetworkSet } from "./networks.js";

describe("NetworkSet", () => {
  it.each([
    ["10.0.0.0/8", "10.255.0.1", true],
    ["10.0.0.0/8", "11.0.0.0", false],
    ["192.0.2.7", "192.0.2.7", true],
    ["192.0.2.7/32", "192.0.2.6", false],
    ["0.0.0.0/0", "203.0.113.9", true],
    ["0.0.0.0/0", "2001:db8::1", false],
    ["fe80::/10", "febf::1", true],
    ["fe80::/10", "fec0::1", false],
    ["fe81::1/10", "fe80::5", true],
    ["fc00::/7", "fdff::1", true],
    ["::1", "0:0:0:0:0:0:0:1", true],
    ["10.0.0.0/8", "::ffff:10.1.2.3", true],
    ["::ffff:10.0.0.0/104", "10.9.9.9", true],
    ["10.1.2.3/8", "10.200.0.0", true],
    ["0.0.0.0", "0.0.0.0", true],
    ["255.255.255.255", "255.255.255.255", true],
    ["255.255.255.255", "255.255.255.254", false],
    ["::/0", "2001:db8::1", true],
    ["::/0", "10.0.0.1", false],
    ["2001:db8::/33", "2001:db8:7fff::", true],
    ["2001:db8::/33", "2001:db8:8000::", false],
    ["10.0.0.0/8", "010.0.0.1", false],
    ["10.0.0.0/8", "host.example", false],
  ])("%s holds %s: %s", (network, address, held) => {
    expect(new NetworkSet([network], "x").has(address)).toBe(held);
  });

  it.each([
    "10.0.0.0/33",
    "10.0.0/8",
    "10.0.0.0/",
    "10.0.0.0/8/8",
    "",
    "::/129",
    "1",
    "010.0.0.1x",
    "fe80::1%eth0/10",
    "10.0.0.0/-1",
    "::ffff:10.0.0.0/95",
    "10.0.0.256",
    "10.0.0.00",
    "1.2.3.",
    "1.2.3.4.5",
  ])("%j is no network", (text) => {
    expect(isNetwork(text)).toBe(false);
    expect(() => new NetworkSet([text], "source")).toThrow(`source holds ${JSON.stringify(text)}`);
  });

  it("agrees with comparing bit by bit", () => {
    const address = fc.tuple(...new Array(4).fill(fc.integer({ min: 0, max: 255 }))) as fc.Arbitrary<number[]>;
    const bits = (bytes: readonly number[]): string => bytes.map((byte) => byte.toString(2).padStart(8, "0")).join("");
    fc.assert(
      fc.property(address, address, fc.integer({ min: 0, max: 32 }), fc.integer({ min: 0, max: 32 }), (network, other, length, shared) => {
        // An address that shares its first bits with the network, so that both answers come up.
        const mixed = bits(network).slice(0, shared) + bits(other).slice(shared);
        const text = [0, 8, 16, 24].map((at) => Number.parseInt(mixed.slice(at, at + 8), 2)).join(".");
        const expected = mixed.slice(0, length) === bits(network).slice(0, length);
        expect(new NetworkSet([`${network.join(".")}/${length}`], "x").has(text)).toBe(expected);
      }),
      { numRuns: 500 },
    );
  });
});
