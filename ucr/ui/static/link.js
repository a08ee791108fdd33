// The way to the router: its data by requests, its live feed by a WebSocket that is opened again when it is lost.

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
const SILENCE_MS = 8_000; // the feed tells statistics each second
const HEADERS = { "x-ucr-ui": "1" };

export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

// Ask for data; throws `Refused` when the router says no, `TypeError` when it says nothing.
export async function ask(path, options = {}) {
  const answer = await fetch(`/ui/${path}`, {
    cache: "no-store", ...options, headers: { ...HEADERS, ...options.headers },
  });
  const said = await answer.json().catch(() => ({}));
  if (answer.ok) return said;
  throw new Refused(answer.status, said?.error?.message ?? `the router answered ${answer.status}`);
}

export const signIn = (key) => ask("session", { method: "POST", headers: { "x-api-key": key } });
export const signOut = () => ask("session", { method: "DELETE" });

// Keeps the feed open. `tell` gets {kind: "state" | "event" | "link", ...} for everything that becomes known.
export class Link {
  constructor(tell) {
    this.tell = tell;
    this.wait = FIRST_WAIT_MS;
    this.socket = null;
    this.timer = 0;
    this.watch = 0;
    this.isWanted = false;
  }

  start() {
    this.isWanted = true;
    this.wait = FIRST_WAIT_MS;
    this.open();
  }

  stop() {
    this.isWanted = false;
    clearTimeout(this.timer);
    this.drop();
  }

  // Do not wait any longer: somebody looks again, or asks for it.
  hurry() {
    if (!this.isWanted || this.socket) return;
    clearTimeout(this.timer);
    this.wait = FIRST_WAIT_MS;
    this.open();
  }

  async open() {
    this.tell({ kind: "link", link: "connecting" });
    if (!(await this.look())) return;
    if (!this.isWanted || this.socket) return;
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}/ui/events`);
    this.socket = socket;
    socket.onmessage = (message) => this.heard(socket, message);
    socket.onclose = () => socket === this.socket && this.lost();
    this.listen();
  }

  // Ask how things are; false when the feed need not be tried now.
  async look() {
    try {
      this.tell({ kind: "state", state: await ask("state") });
      return true;
    } catch (error) {
      if (error instanceof Refused && [401, 403].includes(error.status)) {
        this.stop();
        this.tell({ kind: "link", link: error.status === 401 ? "locked" : "refused", reason: error.message });
      } else if (this.isWanted && !this.socket) {
        this.again(error instanceof Refused ? error.message : "the router does not answer");
      }
      return false;
    }
  }

  heard(socket, message) {
    if (socket !== this.socket) return;
    let event;
    try {
      event = JSON.parse(message.data);
    } catch {
      return;
    }
    this.wait = FIRST_WAIT_MS;
    this.listen();
    this.tell({ kind: "event", event });
  }

  // A connection that says nothing any more is lost, even if nobody has said so.
  listen() {
    clearTimeout(this.watch);
    this.watch = setTimeout(() => this.lost(), SILENCE_MS);
  }

  lost() {
    this.drop();
    if (this.isWanted) this.again("the live feed has ended");
  }

  drop() {
    clearTimeout(this.watch);
    const socket = this.socket;
    this.socket = null;
    if (socket) {
      socket.onclose = socket.onmessage = null;
      socket.close();
    }
  }

  again(reason) {
    clearTimeout(this.timer);
    const wait = this.wait * (0.75 + Math.random() / 2);
    this.wait = Math.min(LONGEST_WAIT_MS, this.wait * 2);
    this.tell({ kind: "link", link: "waiting", reason, until: Date.now() + wait });
    this.timer = setTimeout(() => this.open(), wait);
  }
}
