import { DIRECTIONS, detectors, type ParameterSpec } from "@heliograph/core";

const texts = (description: string): object => ({ type: "array", items: { type: "string", minLength: 1 }, description });

const choice = (description: string, items: object = { type: "string", minLength: 1 }): object => ({
  type: "object",
  description,
  additionalProperties: false,
  properties: { include: { type: "array", items }, exclude: { type: "array", items } },
});

const port = {
  anyOf: [
    { type: "integer", minimum: 0, maximum: 65_535 },
    { type: "string", pattern: "^\\d{1,5}(-\\d{1,5})?$" },
  ],
};

/** The JSON Schema of a search's parameter. */
export function parameterSchema(spec: ParameterSpec): Readonly<Record<string, unknown>> {
  const { default: standard } = spec;
  const description = `${spec.description}${spec.unit === undefined ? "" : ` (${spec.unit})`}`;
  const said = { description, ...(standard !== undefined && { default: standard }) };
  switch (spec.type) {
    case "number":
    case "integer":
      return { ...said, type: spec.type, minimum: spec.min, ...(spec.max !== undefined && { maximum: spec.max }) };
    case "integers":
      return { ...said, type: "array", minItems: 1, items: { type: "integer", minimum: spec.min } };
    case "weights":
      return {
        ...said,
        type: "object",
        additionalProperties: false,
        properties: Object.fromEntries(Object.keys(spec.default).map((name) => [name, { type: "number", minimum: 0 }])),
      };
    case "services":
      return {
        ...said,
        type: "array",
        items: {
          type: "object",
          additionalProperties: false,
          required: ["label"],
          properties: {
            label: { type: "string", minLength: 1, maxLength: 100 },
            ports: { type: "array", items: { type: "string", pattern: "^\\d{1,5}/(tcp|udp|icmp)$" } },
            service: { type: "string" },
            names: { type: "array", items: { type: "string", minLength: 1 } },
          },
        },
      };
    case "spans":
      return {
        ...said,
        type: "array",
        minItems: 1,
        items: { type: "array", items: { type: "number", minimum: 0 }, minItems: 2, maxItems: 2 },
      };
  }
}

/** The JSON Schema of the configuration file, made from the detectors' own descriptions; published as `config.schema.json`. */
export function configSchema(): object {
  const searches = detectors.map(({ name, description, parameters }) => [
    name,
    {
      type: "object",
      description,
      additionalProperties: false,
      properties: Object.fromEntries(
        parameters.flatMap((spec) => [spec.name, ...(spec.aliases ?? [])].map((known) => [known, parameterSchema(spec)])),
      ),
    },
  ]);
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Heliograph configuration",
    type: "object",
    additionalProperties: false,
    properties: {
      $schema: { type: "string" },
      searches: {
        type: "object",
        description: "Parameters of each search",
        additionalProperties: false,
        properties: Object.fromEntries(searches),
      },
      filter: {
        type: "object",
        description: "Which connections the searches look at",
        additionalProperties: false,
        properties: {
          ports: choice("Destination ports or ranges such as 8000-8100", port),
          source: choice("Source addresses, networks or patterns"),
          destination: choice("Destination addresses, networks or patterns"),
          address: choice("Addresses, networks or patterns of either end"),
          protocol: choice("Protocols such as tcp"),
          conn_state: choice("Zeek connection states such as SF"),
          service: choice("Services such as ssl; - for none"),
          names: choice("Names of destinations such as example.com, with its sub-domains, or *cdn*"),
          internal_networks: texts("What counts as internal"),
          direction: { enum: DIRECTIONS, description: "By what is internal", default: "any" },
          default_filters: { type: "boolean", description: "Leave out loopback, link-local and multicast addresses", default: true },
        },
      },
      allow_lists: texts("Files of hosts to leave out as destinations: an address, network or name a line, or CSV"),
      roots: {
        type: "object",
        description: "Folders that the server may search, by name",
        additionalProperties: { type: "string", minLength: 1 },
      },
      insights: { type: "string", minLength: 1, description: "Folder of insights of your own, as JSON and YAML files" },
      names: {
        type: "boolean",
        description: "Find names of destinations in the dns, ssl and http logs beside the connection logs",
        default: false,
      },
      threads: {
        type: "integer",
        minimum: 1,
        maximum: 64,
        description: "Threads to read and search with; default: one for each processor",
      },
    },
  };
}
