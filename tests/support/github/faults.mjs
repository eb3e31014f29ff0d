// What can go wrong with GitHub, as it looks from outside. A fault replaces an answer; it is not held to the description, but
// shapes that GitHub documents are its own: https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api

const LIMITS = "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api";
const MEGABYTE = 1024 * 1024;

const UNICORN = `<!DOCTYPE html>
<html><head><title>Unicorn! &middot; GitHub</title></head>
<body><p><strong>We had issues producing the response to your request.</strong></p></body></html>
`;

/** Named as a test names them. Each makes an answer, or does something to the connection (`act`). */
export const FAULTS = {
  /** x-ratelimit-remaining 0 and when it resets; `resetSeconds` from now. */
  "rate-limit": ({ resetSeconds = 60 }) => ({
    ...json(403, { message: "API rate limit exceeded for user ID 1001.", documentation_url: LIMITS, status: "403" }),
    headers: {
      "x-ratelimit-limit": "5000",
      "x-ratelimit-remaining": "0",
      "x-ratelimit-used": "5000",
      "x-ratelimit-reset": String(Math.ceil(Date.now() / 1000) + resetSeconds),
      "x-ratelimit-resource": "core",
    },
  }),
  /** Without retry-after unless `retryAfterSeconds` is given: GitHub documents both. */
  "secondary-rate-limit": ({ retryAfterSeconds }) => ({
    ...json(403, {
      documentation_url: `${LIMITS}#about-secondary-rate-limits`,
      message: "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
    }),
    headers: retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) },
  }),
  "too-many-requests": ({ retryAfterSeconds = 60 }) => ({
    ...json(429, { documentation_url: LIMITS, message: "You have exceeded a secondary rate limit. Please wait a few minutes before you try again." }),
    headers: { "retry-after": String(retryAfterSeconds) },
  }),
  "server-error": () => json(500, { message: "Server Error" }),
  "bad-gateway": () => ({
    status: 502,
    headers: { "content-type": "text/html; charset=utf-8" },
    body: UNICORN,
  }),
  "malformed-json": () => ({ status: 200, headers: { "content-type": "application/json; charset=utf-8" }, body: '{"login":"octocat","id":' }),
  /** Well-formed, and too much. */
  "megabyte-body": () => json(200, { id: 1, login: "octocat", padding: "x".repeat(MEGABYTE) }),
  /** The connection ends without a byte of an answer. */
  close: () => ({ act: (response) => response.destroy() }),
  /** Headers and half of the body, then the end of the connection. */
  truncate: () => ({
    act: (response) => {
      response.writeHead(200, { "content-type": "application/json; charset=utf-8", "content-length": "1000" });
      response.write('{"login":"octo', () => response.destroy());
    },
  }),
};

const json = (status, body) => ({ status, json: body });

export class Faults {
  #set = []; // {id, endpoint, kind, left, options, gate}
  #nextId = 1;

  /** From now on, for `times` requests. `hold` keeps the request until released and answers it then, as it would have been. */
  add(endpoint, kind, { times = Infinity, ...options } = {}) {
    if (kind !== "hold" && !FAULTS[kind]) throw new Error(`there is no fault ${kind}: hold, ${Object.keys(FAULTS).join(", ")}`);
    const fault = { id: this.#nextId++, endpoint, kind, left: times, options, gate: kind === "hold" ? gate() : undefined };
    this.#set.push(fault);
    return fault.id;
  }

  /** The fault that this request meets; "*" stands for every endpoint. */
  take(endpoint) {
    const found = this.#set.find((each) => each.left > 0 && (each.endpoint === endpoint || each.endpoint === "*"));
    if (found) found.left -= 1;
    return found;
  }

  release(id) {
    this.#set.find((each) => each.id === id)?.gate?.open();
    this.remove(id);
  }

  remove(id) {
    this.#set = this.#set.filter((each) => each.id !== id);
  }

  /** All of them, or those of an endpoint; what is held is released. */
  clear(endpoint) {
    const cleared = this.#set.filter((each) => endpoint === undefined || each.endpoint === endpoint);
    cleared.forEach((each) => this.release(each.id));
  }
}

function gate() {
  let open;
  const opened = new Promise((resolve) => (open = resolve));
  return { open, opened };
}
