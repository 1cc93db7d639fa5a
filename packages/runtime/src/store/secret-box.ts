import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CoreError } from "@heliograph/core";

const CIPHER = "aes-256-gcm";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Keeps secrets: AES-256-GCM under a key that does not lie in the store. */
export class SecretBox {
  readonly #key: Buffer;

  private constructor(key: Buffer) {
    this.#key = key;
  }

  /**
   * The box of this installation: its key is `HELIOGRAPH_SECRET`, which all servers and workers of one store must share, else a file in the data folder
   * that is made when it is first needed.
   */
  static async open(dataDir: string, environment: NodeJS.ProcessEnv = process.env): Promise<SecretBox> {
    const given = environment["HELIOGRAPH_SECRET"];
    if (given) return new SecretBox(createHash("sha256").update(given).digest());
    const path = join(dataDir, "secret.key");
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    // Whoever makes it first has made it.
    await writeFile(path, randomBytes(32), { mode: 0o600, flag: "wx" }).catch(() => undefined);
    return new SecretBox(await readFile(path));
  }

  seal(secret: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.#key, nonce);
    const sealed = Buffer.concat([cipher.update(secret, "utf8"), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString("base64");
  }

  /** @throws CoreError `bad-parameter` for what was sealed under another key */
  open(sealed: string): string {
    const bytes = Buffer.from(sealed, "base64");
    try {
      const decipher = createDecipheriv(CIPHER, this.#key, bytes.subarray(0, NONCE_BYTES));
      decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
      return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]).toString("utf8");
    } catch (cause) {
      throw new CoreError(
        "bad-parameter",
        "the credentials were kept under another secret: set HELIOGRAPH_SECRET as it was, or add the data source again",
        { cause },
      );
    }
  }
}
