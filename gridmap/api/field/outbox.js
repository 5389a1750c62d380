// What a member did, kept on the phone until the server has said that it has it. Each matter keeps its key for ever, so that sending
// it again can never make a second one.
"use strict";
window.field.outbox = (() => {
  const { given, newKey } = window.field;
  const NAME = "gridmap-field";
  const [SOON_MS, LATE_MS] = [3000, 60000];
  const [SENDING_MS, ASKING_MS] = [60000, 15000];
  const KEPT_ANSWERS = 20;
  const TRY_AGAIN = new Set([408, 425, 429]);
  const hearers = new Set();
  let store;
  let running;
  let pauseUntil = 0;
  let pauseMs = SOON_MS;
  let timer;
  const standing = { isLasting: true, isRefusedToken: false, isReached: true };

  // Where the browser keeps nothing (a private window), memory must do, and the page says so.
  const inMemory = () => {
    const all = { outbox: new Map(), kept: new Map() };
    standing.isLasting = false;
    return {
      put: async (name, value) => void all[name].set(value.key, value),
      get: async (name, key) => all[name].get(key),
      all: async name => [...all[name].values()],
      remove: async (name, key) => void all[name].delete(key),
    };
  };

  const inDatabase = () =>
    new Promise((resolve, reject) => {
      const opening = indexedDB.open(NAME, 1);
      opening.onupgradeneeded = () => {
        for (const name of ["outbox", "kept"]) opening.result.createObjectStore(name, { keyPath: "key" });
      };
      opening.onerror = () => reject(opening.error);
      opening.onblocked = () => reject(new Error("blocked"));
      opening.onsuccess = () => {
        const database = opening.result;
        const run = (name, mode, work) =>
          new Promise((done, fail) => {
            // Strict: a thing counts as kept only when it is on the disk.
            const transaction = database.transaction(name, mode, { durability: "strict" });
            const request = work(transaction.objectStore(name));
            transaction.oncomplete = () => done(request.result);
            transaction.onabort = transaction.onerror = () => fail(transaction.error ?? new Error("aborted"));
          });
        resolve({
          put: (name, value) => run(name, "readwrite", place => place.put(value)),
          get: (name, key) => run(name, "readonly", place => place.get(key)),
          all: name => run(name, "readonly", place => place.getAll()),
          remove: (name, key) => run(name, "readwrite", place => place.delete(key)),
        });
      };
    });

  const open = async () => {
    store ??= inDatabase().catch(inMemory);
    return store;
  };

  const items = async () => (await (await open()).all("outbox")).sort((a, b) => a.made_at - b.made_at);
  const keep = async (key, value) => (await open()).put("kept", { key, value });
  const kept = async key => (await (await open()).get("kept", key))?.value;
  const tell = event => hearers.forEach(hear => hear(event));

  const add = async ({ kind, path, body, photos = [], title, token }) => {
    const item = { key: newKey(), kind, path, body, photos, title, token, made_at: Date.now(), state: "waiting", fault: "" };
    await (await open()).put("outbox", item);
    tell({ type: "added", item });
    return item;
  };

  const change = async (key, values) => {
    const item = await (await open()).get("outbox", key);
    if (!item) return;
    await (await open()).put("outbox", { ...item, ...values });
    tell({ type: "changed" });
  };

  const remove = async key => {
    await (await open()).remove("outbox", key);
    tell({ type: "changed" });
  };

  const ask = async (path, token, options = {}) => {
    const giveUp = new AbortController();
    const timer = setTimeout(() => giveUp.abort(), options.method === "POST" ? SENDING_MS : ASKING_MS);
    try {
      return await fetch(path, {
        ...options,
        signal: giveUp.signal,
        cache: "no-store",
        credentials: "omit",
        headers: { ...options.headers, Authorization: `Bearer ${token}`, "Accept-Language": given.language },
      });
    } finally {
      clearTimeout(timer);
    }
  };

  const post = item => {
    const headers = { "Idempotency-Key": item.key };
    const said = JSON.stringify(item.body);
    if (!item.photos.length) {
      return ask(item.path, item.token, { method: "POST", body: said, headers: { ...headers, "Content-Type": "application/json" } });
    }
    const form = new FormData();
    form.append("report", said);
    item.photos.forEach((photo, at) => form.append("photo", photo, `${at + 1}.jpg`));
    return ask(item.path, item.token, { method: "POST", body: form, headers });
  };

  // Sends one item; false when there is no use in going on now.
  const send = async item => {
    let answer;
    let told;
    try {
      answer = await post(item);
      told = await answer.json();
    } catch {
      standing.isReached = false;
      return false;
    }
    standing.isReached = true;
    if (answer.ok) {
      standing.isRefusedToken = false;
      const answers = [{ kind: item.kind, title: item.title, told, at: Date.now() }, ...((await kept("answers")) ?? [])];
      await keep("answers", answers.slice(0, KEPT_ANSWERS));
      await remove(item.key);
      tell({ type: "answered", item, told });
      return true;
    }
    if (answer.status === 401) {
      standing.isRefusedToken = true;
      return false;
    }
    if (answer.status >= 500 || TRY_AGAIN.has(answer.status)) {
      pauseUntil = Date.now() + 1000 * (Number(answer.headers.get("Retry-After")) || 0);
      return false;
    }
    if (told.code === "future" && item.body.happened_at) {
      // The phone's clock is ahead: the server's own instant is nearer the truth.
      const { happened_at, ...body } = item.body;
      await change(item.key, { body });
      return send({ ...item, body });
    }
    await change(item.key, { state: "refused", fault: told.error ?? String(answer.status), code: told.code ?? "" });
    return true;
  };

  const sendAll = async () => {
    for (const item of await items()) {
      if (item.state === "waiting" && !(await send(item))) break;
    }
  };

  // One tab at a time sends, where the browser can tell; two at once would do no harm, since the key is the same.
  const sendInTurn = async () => {
    tell({ type: "sending" });
    try {
      if (navigator.locks) await navigator.locks.request(NAME, { ifAvailable: true }, lock => (lock ? sendAll() : undefined));
      else await sendAll();
    } finally {
      running = undefined;
      tell({ type: "changed" });
      await tryAgainLater();
    }
  };

  // While something waits it is tried again by itself, each time after twice the pause.
  const tryAgainLater = async () => {
    clearTimeout(timer);
    if (!(await items()).some(item => item.state === "waiting")) {
      pauseMs = SOON_MS;
      return;
    }
    timer = setTimeout(flush, Math.max(pauseMs, pauseUntil - Date.now()));
    pauseMs = Math.min(2 * pauseMs, LATE_MS);
  };

  // Asked by a person it goes past the pause that the server wished for, and takes in what was added while it ran.
  const flush = async ({ isAsked = false } = {}) => {
    if (!isAsked && running) return;
    if (isAsked) pauseMs = SOON_MS;
    while (running) await running;
    running = sendInTurn();
    await running;
  };

  const hear = hearer => {
    hearers.add(hearer);
    return () => hearers.delete(hearer);
  };

  window.addEventListener("online", () => flush({ isAsked: true }));
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && flush({ isAsked: true }));

  return { add, items, remove, change, flush, ask, keep, kept, standing, hear, isSending: () => running !== undefined };
})();
