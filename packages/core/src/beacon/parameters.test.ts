import { describe, expect, it } from "vitest";
import { WEIGHTS } from "./adaptive/weights.js";
import { parseParameter } from "./parameters.js";
import { detectors } from "./registry.js";
import { planSearch } from "./search-flows.js";

describe("parameters", () => {
  it("have the defaults of the public API", () => {
    expect(planSearch("quick").parameters).toEqual({ delta: 20, call_back: 10, percent: 85, span_avg: 12, variance: 15 });
  });

  it.each([
    [{ percent: 101 }, "percent must be between 0 and 100, got 101"],
    [{ percent: "85" }, 'percent must be a number, got "85"'],
    [{ percent: Number.NaN }, "percent must be a number, got null"],
    [{ delta: -1 }, "delta must be 0 or more, got -1"],
    [{ call_back: 2.5 }, "call_back must be a whole number, got 2.5"],
    [{ call_back: 0 }, "call_back must be 1 or more, got 0"],
    [{ detla: 5 }, "detla is not a parameter of this search; it has delta, call_back, percent, span_avg, variance"],
    [JSON.parse('{"__proto__": {"delta": 1}}'), "__proto__ is not a parameter"],
    [[], "parameters must be an object"],
    [null, "parameters must be an object"],
  ])("%j is refused: %s", (parameters, message) => {
    expect(() => planSearch("quick", parameters)).toThrow(message);
  });

  it.each([
    ["detailed", { time_spans: [] }, "time_spans must be a list of spans such as [[0, 5], [2, 15]], got []"],
    ["detailed", { time_spans: [[5, 5]] }, "time_spans must hold spans [low, high] with 0 <= low < high, got [5,5]"],
    ["detailed", { time_spans: [[-1, 5]] }, "time_spans must hold spans"],
    ["detailed", { time_spans: [[0, 5, 7]] }, "time_spans must be a list of spans such as [[0, 5], [2, 15]], got [0,5,7] in it"],
    ["detailed", { time_spans: ["05"] }, 'got "05" in it'],
    ["detailed", { time_spans: [0, 5] }, "got 0 in it"],
    ["detailed", { spans: [[0, 5]], time_spans: [[0, 5]] }, "time_spans is given twice: as time_spans and as spans"],
    ["detailed", { span_avg: 5 }, "span_avg is not a parameter of this search"],
    ["hierarchical", { line_amounts: [] }, "line_amounts must be a list of whole numbers such as [1, 5], got []"],
    ["hierarchical", { line_amounts: 1 }, "line_amounts must be a list of whole numbers such as [1, 5], got 1"],
    ["hierarchical", { line_amounts: [0] }, "line_amounts must be 1 or more, got 0"],
    ["hierarchical", { line_amounts: [1.5] }, "line_amounts must be a list of whole numbers such as [1, 5], got 1.5"],
    ["adaptive", { weights: [1] }, 'weights must be weights by name such as {"rhythm": 1, "regularity": 1}, got [1]'],
    ["adaptive", { weights: { rythm: 1 } }, "weights has rhythm, regularity, persistence"],
    ["adaptive", { weights: { rhythm: -1 } }, "weights must hold numbers of 0 or more, got -1 for rhythm"],
    ["adaptive", { weights: Object.fromEntries(Object.keys(WEIGHTS).map((name) => [name, 0])) }, "weights must leave a weight above 0"],
    ["adaptive", { services: { label: "x" } }, "services must be a list of services such as"],
    ["adaptive", { services: [{ label: "" }] }, "services must hold services with a label"],
    ["adaptive", { services: [{ label: "x", ports: ["99999/tcp"] }] }, "services must hold ports such as 123/udp"],
    ["adaptive", { services: [{ label: "x", names: ["not a name"] }] }, 'services holds "not a name", which is no host name'],
    ["adaptive", { services: [{ label: "x", port: 1 }] }, "services must hold services of label, ports, service and names, not port"],
    ["hierarchical", { line_amounts: new Array(1001).fill(1) }, "line_amounts must have at most 1000 entries, got 1001"],
  ])("%s %j is refused: %s", (name, parameters, message) => {
    expect(() => planSearch(name, parameters)).toThrow(message);
  });

  it("of lists have the defaults of the public API, and spans is another name of time_spans", () => {
    const spans = [
      [0, 5],
      [2, 15],
      [15, 35],
      [30, 60],
    ];
    expect(planSearch("detailed").parameters).toEqual({ delta: 20, time_spans: spans, call_back: 10, percent: 85 });
    expect(planSearch("hierarchical").parameters).toEqual({ delta: 20, line_amounts: [1], call_back: 10, variance: 15, percent: 85 });
    expect(planSearch("detailed", { spans: [[0, 0.5]] }).parameters["time_spans"]).toEqual([[0, 0.5]]);
  });

  it("are read from text", () => {
    const read = (name: string, text: string): unknown => {
      const spec = detectors.flatMap((detector) => detector.parameters).find((known) => known.name === name);
      return spec && parseParameter(spec, text);
    };
    expect(read("delta", "1e1")).toBe(10);
    expect(read("line_amounts", "1, 5")).toEqual([1, 5]);
    expect(read("weights", "rhythm=3, sizes=0")).toEqual({ rhythm: 3, sizes: 0 });
    expect(read("weights", '{"rhythm": 3}')).toEqual({ rhythm: 3 });
    expect(() => read("weights", "rhythm")).toThrow("weights must be weights by name");
    expect(() => read("services", "[")).toThrow("services must be a list of services");
    expect(read("services", '[{"label": "x"}]')).toEqual([{ label: "x" }]);
    expect(read("line_amounts", "[1,5]")).toEqual([1, 5]);
    expect(read("time_spans", "[[0,5],[2,15]]")).toEqual([
      [0, 5],
      [2, 15],
    ]);
    expect(() => read("line_amounts", "1,,5")).toThrow("line_amounts must be a list of whole numbers");
    expect(() => read("time_spans", "0-5")).toThrow("time_spans must be a list of spans");
    expect(() => read("delta", "")).toThrow('delta must be a number, got ""');
  });

  it("of weights that are not given keep their default, and services may be none", () => {
    const { weights, services } = planSearch("adaptive", { weights: { sizes: 9 } }).parameters;
    expect([weights, services]).toEqual([{ ...WEIGHTS, sizes: 9 }, []]);
  });

  it("an unknown search is refused with the known ones", () => {
    expect(() => planSearch("nope")).toThrow('search "nope" is unknown; there are adaptive');
  });
});
