import { badParameter, shownValue } from "../errors.js";
import { nameTest } from "../names/name-pattern.js";

/** A service that calls regularly and is harmless: by port, by what Zeek recognised, or by the name of the server. */
export interface BenignService {
  readonly label: string;
  /** Destination ports with their protocol, such as `123/udp`. */
  readonly ports?: readonly string[];
  /** What Zeek must have recognised there: what goes over a port and is not recognised may be anything. */
  readonly service?: string;
  /** Names of servers: `example.com` with its sub-domains, or patterns with `*`. */
  readonly names?: readonly string[];
}

const PORT = /^\d{1,5}\/(?:tcp|udp|icmp)$/;

const isTexts = (value: unknown): value is readonly string[] => Array.isArray(value) && value.every((item) => typeof item === "string");

/**
 * Checks a service that a caller gave.
 * @throws CoreError `bad-parameter`; `parameter` names whose it is
 */
export function checkService(parameter: string, given: unknown): BenignService {
  const wrong = (what: string): Error => badParameter(parameter, `${what}, got ${shownValue(given)}`);
  if (typeof given !== "object" || given === null || Array.isArray(given)) throw wrong("must hold services");
  const { label, ports = [], service, names = [], ...others } = given as Record<string, unknown>;
  const [other] = Object.keys(others);
  if (other !== undefined) throw wrong(`must hold services of label, ports, service and names, not ${other}`);
  if (typeof label !== "string" || label.trim() === "" || label.length > 100)
    throw wrong("must hold services with a label of up to 100 characters");
  if (!isTexts(ports) || !ports.every((port) => PORT.test(port) && Number.parseInt(port, 10) <= 65_535))
    throw wrong("must hold ports such as 123/udp");
  if (!isTexts(names)) throw wrong("must hold names such as example.com");
  if (service !== undefined && typeof service !== "string") throw wrong("must hold a service such as dns");
  nameTest(names, parameter);
  return { label, ports, names, ...(service !== undefined && { service }) };
}
