// Reporting: what, words, photos, where; what is written stays on the phone until it is kept to be sent.
"use strict";
(() => {
  const { given, word, element, findPlace, smallerPhoto, outbox, member } = window.field;
  const { views, note, button, back, home, queue, outcome, placeByHand } = member;
  const DRAFT = "gridmap.draft";
  const KINDS = ["hazard", "dispute", "request", "clue"];

  const draft = () => {
    try {
      return JSON.parse(localStorage.getItem(DRAFT)) ?? {};
    } catch {
      return {};
    }
  };

  const newestCategories = async () => {
    try {
      const answer = await outbox.ask("/intake/categories", member.token());
      if (!answer.ok) return [];
      const listed = (await answer.json()).categories;
      await outbox.keep("categories", listed);
      return listed;
    } catch {
      return [];
    }
  };

  // The list as it was heard last, at once; who has none yet waits for it. The newest is fetched for the next time.
  const categories = async () => {
    const newest = newestCategories();
    const known = await outbox.kept("categories");
    return known?.length ? known : newest;
  };

  const chooser = (listed, chosen) => {
    const kindOf = listed.find(one => one.code === chosen)?.kind;
    const offered = KINDS.filter(kind => listed.some(one => one.kind === kind));
    return element(
      "fieldset",
      { class: "panel choice" },
      element("legend", {}, word("what")),
      offered.map(kind => element("input", { type: "radio", name: "kind", id: `kind-${kind}`, value: kind, checked: kind === kindOf })),
      element(
        "div",
        { class: "tiles" },
        offered.map(kind => element("label", { class: "tile", for: `kind-${kind}` }, word(`kind_${kind}`), element("small", {}, word(`kind_${kind}_help`)))),
      ),
      offered.map(kind =>
        element(
          "div",
          { class: `chips of-${kind}`, role: "group", "aria-label": word(`kind_${kind}`) },
          listed
            .filter(one => one.kind === kind)
            .flatMap(one => [
              element("input", { type: "radio", name: "category", id: `c-${one.code}`, value: one.code, checked: one.code === chosen }),
              element("label", { class: "chip", for: `c-${one.code}` }, one.name),
            ]),
        ),
      ),
    );
  };

  const photoPanel = begun => {
    let photos = [...begun];
    let working = Promise.resolve();
    const thumbs = element("div", { class: "thumbs" });
    const said = element("p", { class: "quiet" });
    const draw = () =>
      thumbs.replaceChildren(
        ...photos.flatMap((photo, at) => [
          element("img", { src: URL.createObjectURL(photo), alt: word("photo_one"), onload: event => URL.revokeObjectURL(event.target.src) }),
          button("✕", () => {
            photos = photos.filter((_, place) => place !== at);
            draw();
          }, "plain"),
        ]),
      );
    const input = element("input", { type: "file", id: "photo", accept: "image/*", multiple: true, "aria-label": word("photo") });
    const take = async chosen => {
      said.textContent = word("m_photo_working");
      for (const file of chosen.slice(0, given.max_photos - photos.length)) photos.push(await smallerPhoto(file));
      said.textContent = chosen.length && photos.length >= given.max_photos ? word("photos_full", { most: given.max_photos }) : "";
      draw();
    };
    input.addEventListener("change", () => {
      const chosen = [...input.files];
      input.value = "";
      working = working.then(() => take(chosen));
    });
    draw();
    return {
      panel: element(
        "div",
        { class: "panel stack" },
        element("div", {}, element("span", { class: "label" }, word("photo"), element("small", {}, word("optional"))),
          element("div", { class: "photo" }, input, element("span", { class: "button photo-button", "aria-hidden": "true" }, `＋ ${word("take_photo")}`))),
        said,
        thumbs,
      ),
      photos: () => working.then(() => photos),
    };
  };

  const placePanel = begun => {
    let position = begun.position;
    let looking = Promise.resolve();
    const said = element("p", { class: "quiet", role: "status", id: "place_said" });
    const hand = placeByHand(begun);
    const look = async () => {
      again.disabled = true;
      said.textContent = word("place_looking");
      try {
        position = await findPlace();
        said.textContent = word("place_found", { metres: Math.round(position.accuracy_m) });
      } catch (fault) {
        position = undefined;
        said.textContent = `${word(fault.message)}${word("m_or_grid")}`;
      }
      again.disabled = false;
    };
    const lookAgain = () => (looking = look());
    const again = button(`◎ ${word("place_again")}`, lookAgain);
    if (position) said.textContent = word("m_place_kept");
    else lookAgain();
    return {
      panel: element("div", { class: "panel stack" }, element("span", { class: "label" }, word("where")), said, again, ...hand.fields),
      ask: hand.ask,
      settled: () => (hand.grid() && !position ? undefined : looking),
      where: () => ({
        ...(position ? { position } : {}),
        ...(!position && hand.grid() ? { grid_code: hand.grid() } : {}),
        ...(hand.place() ? { place: hand.place() } : {}),
      }),
    };
  };

  // What was refused comes back to be changed, with its photos and the instant when it happened.
  views.report = refused => {
    const begun = refused ? refused.body : draft();
    const text = element("textarea", { id: "text", maxLength: 2000, placeholder: word("tell_hint"), value: begun.text ?? "" });
    const urgent = element("input", { type: "checkbox", id: "urgent", checked: begun.urgency === "urgent" });
    const said = element("div", { id: "said" });
    const where = placePanel(begun);
    const photos = photoPanel(refused ? refused.photos : []);
    const holder = element("div", {}, note(word("m_list_coming")));
    const listing = categories().then(listed => holder.replaceChildren(listed.length ? chooser(listed, begun.category) : note(word("m_no_list"), "alarm")));
    const chosen = () => form.querySelector('input[name="category"]:checked');
    const save = () => refused || localStorage.setItem(DRAFT, JSON.stringify({ text: text.value, category: chosen()?.value }));

    const submit = async event => {
      event.preventDefault();
      send.disabled = true;
      await Promise.all([listing, where.settled()]);
      send.disabled = false;
      const fault = !chosen() ? "error_category" : !Object.keys(where.where()).length ? "m_no_place" : "";
      if (fault) {
        said.replaceChildren(note(word(fault), "alarm"));
        if (fault === "m_no_place") where.ask();
        else holder.scrollIntoView({ block: "start" });
        return;
      }
      send.disabled = true;
      send.textContent = word("sending");
      const label = form.querySelector(`label[for="${CSS.escape(chosen().id)}"]`).textContent;
      const body = {
        category: chosen().value,
        ...(text.value.trim() ? { text: text.value.trim() } : {}),
        ...where.where(),
        urgency: urgent.checked ? "urgent" : "normal",
        happened_at: begun.happened_at ?? new Date().toISOString(),
      };
      const done = await queue({ kind: "report", path: "/intake/reports", body, photos: await photos.photos(), title: `${word("m_report")}${word("m_dot")}${label}` });
      if (done.isLost) {
        said.replaceChildren(...outcome(done));
        send.disabled = false;
        send.textContent = word("m_send");
        return;
      }
      localStorage.removeItem(DRAFT);
      if (refused) await outbox.remove(refused.key);
      main.replaceChildren(back(), element("section", { class: "panel stack" }, ...outcome(done, reported), button(word("m_home"), home, "main")));
    };
    const send = element("button", { type: "submit", class: "main" }, word("m_send"));
    const form = element(
      "form",
      { class: "stack", onsubmit: submit, oninput: save, onchange: save, noValidate: true },
      holder,
      element("div", { class: "panel stack" }, element("label", { class: "label", for: "text" }, word("tell")), text,
        element("label", { class: "tick", for: "urgent" }, urgent, word("m_urgent"))),
      photos.panel,
      where.panel,
      said,
      send,
    );
    const main = document.getElementById("main");
    return [back(), form];
  };

  const reported = told => [
    element("p", { class: "done number", id: "number" }, told.number),
    element("p", {}, [told.category, told.grid_name ?? told.village, word("before", { at: member.clock(told.due_at) })].filter(Boolean).join(word("m_dot"))),
    ...told.warnings.map(warning => note(warning, "wait")),
    told.duplicates.length ? note(word("m_alike", { numbers: told.duplicates.map(one => one.number).join(word("m_comma")) }), "wait") : "",
  ];
})();
