// The members' page: three actions, and an honest line about what has been sent. Its views are built from text, never from markup.
"use strict";
window.field.member = (() => {
  const { given, word, element, findPlace, outbox } = window.field;
  const TOKEN = "gridmap.token";
  const main = document.getElementById("main");
  const views = {};
  let token = localStorage.getItem(TOKEN) ?? "";

  const clock = at => new Date(at).toLocaleString(given.language === "zh" ? "zh-CN" : "en-GB", { month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hour12: false, timeZone: given.zone });
  const note = (text, kind = "") => element("p", { class: `note ${kind}`, role: "status" }, text);
  const button = (text, onclick, kind = "") => element("button", { type: "button", class: kind, onclick }, text);
  const back = () => button(`‹ ${word("m_back")}`, () => history.back(), "plain back");

  // The personal link carries its token behind the #, which browsers never send.
  const takeToken = () => {
    const found = /[#&]token=([\w.~-]+)/.exec(location.hash);
    if (!found) return;
    token = found[1];
    localStorage.setItem(TOKEN, token);
    history.replaceState(null, "", location.pathname + location.search);
  };

  const show = (name, ...more) => {
    main.replaceChildren(...[views[name](...more)].flat());
    main.dataset.view = name;
    scrollTo(0, 0);
  };
  const go = (name, ...more) => {
    history.pushState({ name }, "");
    show(name, ...more);
  };
  const home = () => {
    if (history.state?.name) history.back();
    else show("home");
  };
  window.addEventListener("popstate", () => show(token ? "home" : "sign_in"));

  // What is not sent yet, in one line that is always there.
  const line = document.getElementById("line");
  const tellStanding = async () => {
    const items = await outbox.items();
    const waiting = items.filter(item => item.state === "waiting").length;
    const refused = items.length - waiting;
    const parts = [];
    if (refused) parts.push(word("m_n_refused", { n: refused }));
    if (waiting) parts.push(word(outbox.isSending() ? "m_n_sending" : "m_n_waiting", { n: waiting }));
    if (!waiting && !refused) parts.push(word(navigator.onLine ? "m_all_sent" : "m_offline"));
    else if (waiting && !navigator.onLine) parts.push(word("m_offline_short"));
    const state = refused || outbox.standing.isRefusedToken ? "alarm" : waiting || !navigator.onLine ? "wait" : "good";
    line.replaceChildren(
      element("span", { class: "state", data: { state }, id: "standing" }, parts.join(word("m_comma"))),
      items.length ? button(word("m_look"), () => go("outbox"), "plain") : "",
    );
    const warnings = document.getElementById("warnings");
    warnings.replaceChildren(
      ...[
        outbox.standing.isRefusedToken && note(word("m_token_refused"), "alarm"),
        !outbox.standing.isLasting && note(word("m_not_lasting"), "wait"),
      ].filter(Boolean),
    );
    if (main.dataset.view === "outbox") main.replaceChildren(...(await outboxList()));
  };

  // Keeps a matter, tries to send it, and says which of the two happened.
  const queue = async matter => {
    let item;
    try {
      item = await outbox.add({ ...matter, token });
    } catch {
      return { isLost: true };
    }
    let answer;
    const forget = outbox.hear(event => {
      if (event.type === "answered" && event.item.key === item.key) answer = event.told;
    });
    await outbox.flush({ isAsked: true });
    forget();
    const left = (await outbox.items()).find(one => one.key === item.key);
    return { answer, left };
  };

  const outcome = ({ answer, left, isLost }, told) => {
    if (isLost) return [note(word("m_not_kept"), "alarm")];
    if (answer) return told(answer);
    if (left?.state !== "refused") return [note(word("m_kept"), "wait")];
    return [note(`${word("m_refused")}${left.fault}`, "alarm"), button(word("m_look"), () => go("outbox"))];
  };

  views.sign_in = () => {
    const box = element("textarea", { id: "link", placeholder: `${location.origin}/m#token=…`, autocapitalize: "off", spellcheck: false });
    const said = element("div");
    const take = () => {
      const written = box.value.trim();
      const found = /token=([\w.~-]+)/.exec(written)?.[1] ?? (/^[\w.~-]{8,}$/.test(written) ? written : "");
      if (!found) {
        said.replaceChildren(note(word("m_no_token"), "alarm"));
        return;
      }
      token = found;
      localStorage.setItem(TOKEN, token);
      begin();
    };
    return element(
      "section",
      { class: "panel stack" },
      element("h2", {}, word("m_sign_in")),
      element("p", {}, word("m_sign_in_how")),
      box,
      said,
      button(word("m_begin"), take, "main"),
    );
  };

  views.home = () => {
    const action = (name, sign, kind = "") =>
      element(
        "button",
        { type: "button", class: kind, id: `go_${name}`, onclick: () => go(name) },
        element("span", { class: "sign", "aria-hidden": "true" }, sign),
        element("span", {}, word(`m_${name}`), element("small", {}, word(`m_${name}_help`))),
        name === "cases" ? element("span", { class: "count", id: "n_cases", hidden: true }) : "",
      );
    setTimeout(views.countCases);
    return [
      element("div", { class: "actions" }, action("report", "＋", "main"), action("check_in", "✓"), action("cases", "≡")),
      element("div", { class: "line" }, element("span", { class: "quiet", id: "who" }), button(word("m_sign_out"), signOut, "plain")),
    ];
  };

  const signOut = async () => {
    const n = (await outbox.items()).length;
    if (!confirm(n ? word("m_sign_out_waiting", { n }) : word("m_sign_out_sure"))) return;
    localStorage.removeItem(TOKEN);
    token = "";
    await outbox.keep("mine", undefined);
    show("sign_in");
  };

  views.check_in = () => {
    const said = element("div", { class: "stack", id: "check_in_said" }, note(word("place_looking")));
    const send = async body => {
      said.replaceChildren(note(word("sending")));
      const done = await queue({
        kind: "checkin",
        path: "/intake/checkins",
        body: { ...body, happened_at: new Date().toISOString() },
        title: word("m_check_in"),
      });
      said.replaceChildren(...outcome(done, checkedIn), button(word("m_home"), home, "main"));
    };
    const byHand = fault => {
      const place = placeByHand();
      said.replaceChildren(
        note(word(fault), "wait"),
        ...place.fields,
        button(word("m_check_in_here"), () => (place.words() ? send({ place: place.words() }) : place.ask()), "main"),
        button(word("place_again"), () => show("check_in"), "plain"),
      );
    };
    // Who has gone back before the place was found has not checked in.
    const isHere = () => main.contains(said);
    findPlace().then(
      position => isHere() && send({ position }),
      error => isHere() && byHand(error.message),
    );
    return [back(), element("section", { class: "panel stack" }, element("h2", {}, word("m_check_in")), said)];
  };

  const checkedIn = told => [
    element("p", { class: "done number" }, told.checkpoint ? told.checkpoint.name : (told.grid_name ?? word("m_checked_in"))),
    element(
      "p",
      {},
      [
        told.checkpoint || told.grid_name ? word("m_checked_in") : "",
        clock(told.happened_at),
        told.checkpoint ? word("m_metres", { n: told.checkpoint.distance_m }) : told.grid_name ? word("m_no_checkpoint") : "",
      ]
        .filter(Boolean)
        .join(word("m_dot")),
    ),
    ...told.warnings.map(warning => note(warning, "wait")),
  ];

  // Where the phone gives no place: the grid by name, and words.
  const placeByHand = (begun = {}) => {
    const select = element(
      "select",
      { id: "grid", "aria-label": word("m_grid") },
      element("option", { value: "" }, word("m_choose_grid")),
      given.grids.map(([code, name]) => element("option", { value: code }, name)),
    );
    const place = element("input", { type: "text", id: "place", maxLength: 200, value: begun.place ?? "", placeholder: word("where_hint"), "aria-label": word("where") });
    const last = begun.grid_code ?? localStorage.getItem("gridmap.grid") ?? "";
    if (given.grids.some(([code]) => code === last)) select.value = last;
    select.addEventListener("change", () => localStorage.setItem("gridmap.grid", select.value));
    return {
      fields: [select, place],
      grid: () => select.value,
      place: () => place.value.trim(),
      words: () => [select.value && select.selectedOptions[0].textContent, place.value.trim()].filter(Boolean).join(" "),
      ask: () => select.focus(),
    };
  };

  const outboxList = async () => {
    const [items, answers] = [await outbox.items(), (await outbox.kept("answers")) ?? []];
    const card = item =>
      element(
        "li",
        { class: item.state === "refused" ? "overdue" : "soon" },
        element("h2", {}, item.title),
        element("p", { class: "quiet" }, [clock(item.made_at), item.photos.length ? word("m_n_photos", { n: item.photos.length }) : ""].filter(Boolean).join(word("m_dot"))),
        element("p", { class: "due" }, item.state === "refused" ? `▲ ${item.fault}` : `○ ${word("m_waiting")}`),
        item.state === "refused" &&
          element(
            "div",
            { class: "steps" },
            button(word("m_try_again"), () => outbox.change(item.key, { state: "waiting", fault: "" }).then(() => outbox.flush({ isAsked: true }))),
            item.photos.length > 0 &&
              button(word("m_without_photos"), () => outbox.change(item.key, { state: "waiting", fault: "", photos: [] }).then(() => outbox.flush({ isAsked: true }))),
            item.kind === "report" && button(word("m_change"), () => go("report", item)),
            button(word("m_delete"), () => confirm(word("m_delete_sure")) && outbox.remove(item.key), "plain"),
          ),
      );
    return [
      back(),
      items.length ? button(word("m_send_now"), () => outbox.flush({ isAsked: true }), "main") : note(word("m_nothing_waiting")),
      element("ul", { class: "cards" }, items.map(card)),
      answers.length ? element("h2", {}, word("m_last_sent")) : "",
      element(
        "ul",
        { class: "cards" },
        answers.map(one => element("li", {}, element("h2", {}, one.title), element("p", { class: "quiet" }, [one.told.number, clock(one.at)].filter(Boolean).join(word("m_dot"))))),
      ),
    ];
  };
  views.outbox = () => {
    outboxList().then(parts => main.dataset.view === "outbox" && main.replaceChildren(...parts));
    return [back()];
  };

  const begin = () => {
    show(token ? "home" : "sign_in");
    if (token) outbox.flush({ isAsked: true });
    tellStanding();
  };

  const start = () => {
    takeToken();
    outbox.hear(tellStanding);
    for (const name of ["online", "offline"]) window.addEventListener(name, tellStanding);
    window.addEventListener("hashchange", () => {
      takeToken();
      begin();
    });
    if ("serviceWorker" in navigator) navigator.serviceWorker.register("/m/worker.js", { scope: "/m" }).catch(() => {});
    navigator.storage?.persist?.();
    begin();
  };

  return { views, show, go, home, back, note, button, clock, queue, outcome, placeByHand, start, token: () => token };
})();
