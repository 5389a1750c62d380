// Lets the members' page open without network: the newest page while there is one, else the last. What is sent goes past it.
"use strict";
const SHELF = "gridmap-field-1";
const PATIENCE_MS = 4000;
const isPage = url => url.pathname === "/m";
const isOurs = url => url.pathname.startsWith("/assets/gridmap/field/") || url.pathname === "/m/manifest.webmanifest";

self.addEventListener("install", event => {
  event.waitUntil(
    (async () => {
      const shelf = await caches.open(SHELF);
      const page = await fetch("/m", { cache: "no-store" });
      if (!page.ok) throw new Error(String(page.status));
      const files = [...(await page.clone().text()).matchAll(/(?:src|href)="(\/(?:assets\/gridmap\/field|m)\/[^"]+)"/g)].map(found => found[1]);
      await shelf.put("/m", page);
      await shelf.addAll(files);
      await self.skipWaiting();
    })(),
  );
});

self.addEventListener("activate", event => {
  event.waitUntil(
    (async () => {
      for (const name of await caches.keys()) if (name !== SHELF) await caches.delete(name);
      await self.clients.claim();
    })(),
  );
});

const newestPage = async request => {
  const shelf = await caches.open(SHELF);
  const kept = () => shelf.match("/m");
  try {
    const giveUp = new AbortController();
    const timer = setTimeout(() => giveUp.abort(), PATIENCE_MS);
    const page = await fetch(request.url, { signal: giveUp.signal, cache: "no-store" });
    clearTimeout(timer);
    if (!page.ok) return (await kept()) ?? page;
    if (!new URL(request.url).search) await shelf.put("/m", page.clone());
    return page;
  } catch {
    return (await kept()) ?? Response.error();
  }
};

// A file's address names its content, so the kept one is the right one.
const file = async request => {
  const shelf = await caches.open(SHELF);
  const kept = await shelf.match(request);
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok) await shelf.put(request, answer.clone());
  return answer;
};

self.addEventListener("fetch", event => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  if (isPage(url)) event.respondWith(newestPage(event.request));
  else if (isOurs(url)) event.respondWith(file(event.request));
});
