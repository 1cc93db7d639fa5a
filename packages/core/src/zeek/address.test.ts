import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bytesOf } from "../testing/rows.js";
import { addressCode, addressText, ipv4Number, otherPlace } from "./address.js";
import type { AddressValues } from "./column-batch.js";
import { MapDictionary } from "./dictionary.js";
import { createEngine } from "./engine.js";
import { connSchema } from "./schemas/conn.js";

describe("address codes", () => {
  it.each([
    ["0.0.0.0", 0],
    ["10.0.0.1", 0x0a000001],
    ["239.255.255.255", 0xefffffff | 0],
  ])("make %s its own code", (text, code) => {
    const others = new MapDictionary();
    expect(addressCode(others, text)).toBe(code);
    expect(others.size).toBe(0);
    expect(addressText(others, code)).toBe(text);
  });

  it.each(["240.0.0.0", "255.255.255.255", "010.0.0.1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1..2.3", "", "::1", "fe80::1%eth0", "host"])(
    "keep %j as a text",
    (text) => {
      const others = new MapDictionary();
      others.encode("another");
      const code = addressCode(others, text);
      expect(otherPlace(code)).toBe(1);
      expect(code).not.toBe(-1);
      expect(addressText(others, code)).toBe(text);
    },
  );

  it("are the empty text where unset", () => {
    expect(addressText(new MapDictionary(), -1)).toBe("");
  });

  it("are the same from both engines, and give the text back", () => {
    const octet = fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 9, 10, 99, 100, 239, 240, 255, 256, 999));
    const text = fc.oneof(
      fc.tuple(octet, octet, octet, octet).map((octets) => octets.join(".")),
      fc.ipV6(),
      fc.constantFrom("00.1.2.3", "1.2.3.4.", ".1.2.3", "1.2.3.-4", "12345678", "1.2.3.4x"),
    );
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 60 }), (texts) => {
        const log = `#path\tconn\n#fields\tts\tid.orig_h\tid.resp_h\tid.resp_p\n${texts.map((one) => `1.5\t${one}\t${one}\t80\n`).join("")}`;
        const [wasm, plain] = (["wasm", "typescript"] as const).map((kind) => {
          const codes: number[] = [];
          const columns = ["id.orig_h", "id.resp_h"];
          const reader = createEngine({ kind }).reader({ schema: connSchema, columns, source: "conn.log" }, (batch) => {
            const { values, dictionary } = batch.columns.get("id.orig_h") as AddressValues;
            codes.push(...values);
            expect([...values].map((code) => addressText(dictionary, code))).toEqual(texts);
            expect((batch.columns.get("id.resp_h") as AddressValues).values).toEqual(values);
          });
          reader.push(bytesOf(log));
          reader.end();
          return codes;
        });
        expect(wasm).toEqual(plain);
        expect(wasm?.map((code) => otherPlace(code) < 0)).toEqual(texts.map((one) => ipv4Number(one) < 0xf0000000));
      }),
      { numRuns: 150 },
    );
  });
});
