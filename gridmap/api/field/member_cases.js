// My open items: due first, one tap a legal step; what was tapped without network stands there as waiting.
"use strict";
(() => {
  const { given, word, element, outbox, member } = window.field;
  const { views, note, button, back, clock, queue, outcome } = member;
  const LEVELS = ["member", "grid", "village", "township"];
  const TEAMS = ["advice", "livelihood", "mediation", "emergency", "civic"];
  // What a step needs beside the tap.
  const NEEDS = {
    paused: ["note"],
    reopened: ["note"],
    extension_asked: ["note", "due_at"],
    extended: ["due_at"],
    dispatched: ["team_code"],
    followed_up: ["satisfaction"],
  };
  const main = document.getElementById("main");

  // From the server; without it the list as it was heard last, with its age.
  const mine = async () => {
    try {
      const answer = await outbox.ask("/intake/mine", member.token());
      outbox.standing.isRefusedToken = answer.status === 401;
      if (answer.ok) {
        const told = { ...(await answer.json()), read_at: Date.now(), isFresh: true };
        await outbox.keep("mine", { ...told, isFresh: false });
        return told;
      }
    } catch {
      // no network: what was kept is shown
    }
    return await outbox.kept("mine");
  };

  views.countCases = async () => {
    const told = await mine();
    const [count, who] = [document.getElementById("n_cases"), document.getElementById("who")];
    if (!told || !count) return;
    count.textContent = told.open.length;
    count.hidden = false;
    who.textContent = word("m_who", { who: told.staff_id });
  };

  const stepsOf = one => [...new Set(LEVELS.flatMap(level => one.legal_steps[level] ?? []))];

  // The end of a day by the township's clock.
  const endOf = day => new Date(Date.parse(`${day}T00:00:00${given.utc_offset}`) + 86400000).toISOString();

  const asking = (kind, take) => {
    const values = {};
    const fields = NEEDS[kind].map(name => {
      if (name === "note") return element("textarea", { id: "step_note", placeholder: word("m_why"), oninput: event => (values.note = event.target.value.trim()) });
      if (name === "due_at") {
        const tomorrow = new Date(Date.now() + 86400000).toLocaleDateString("sv");
        return element("label", {}, word("m_new_due"), element("input", { type: "date", min: tomorrow, oninput: event => (values.due_at = event.target.value && endOf(event.target.value)) }));
      }
      if (name === "team_code") {
        return element("select", { "aria-label": word("m_team"), onchange: event => (values.team_code = event.target.value) },
          element("option", { value: "" }, word("m_team")), TEAMS.map(team => element("option", { value: team }, word(`team_${team}`))));
      }
      const rating = element("div", { class: "rating", role: "group", "aria-label": word("m_satisfaction") });
      rating.append(...[1, 2, 3, 4, 5].map(n => button(String(n), event => {
        values.satisfaction = n;
        for (const one of rating.children) one.classList.toggle("main", one === event.currentTarget);
      })));
      return element("div", {}, element("p", {}, word("m_satisfaction")), rating);
    });
    const said = element("div");
    const confirmed = button(word(`step_${kind}`), () =>
      NEEDS[kind].every(name => values[name]) ? take(values) : said.replaceChildren(note(word("m_needed"), "alarm")), "main");
    return element("div", { class: "stack" }, fields, said, confirmed);
  };

  const card = (one, waiting) => {
    const extra = element("div");
    const steps = stepsOf(one);
    const take = async (kind, values = {}) => {
      for (const other of made.querySelectorAll("button")) other.disabled = true;
      extra.replaceChildren(note(word("sending")));
      const done = await queue({
        kind: "step",
        path: `/intake/reports/${encodeURIComponent(one.number)}/steps`,
        body: { kind, ...values },
        title: `${word(`step_${kind}`)}${word("m_dot")}${one.number}`,
      });
      if (done.answer) {
        redraw(word("m_step_done", { step: word(`step_${kind}`), number: one.number }));
        return;
      }
      const isRefused = done.left?.state === "refused";
      extra.replaceChildren(...(isRefused ? [note(`${word("m_refused")}${done.left.fault}`, "alarm")] : outcome(done)));
      if (isRefused || done.isLost) {
        if (isRefused) await outbox.remove(done.left.key); // it was one tap, and the reason stands here
        for (const other of made.querySelectorAll("button")) other.disabled = false;
      }
    };
    const tap = kind => (NEEDS[kind] ? extra.replaceChildren(asking(kind, values => take(kind, values))) : take(kind));
    const due = one.next_due_at
      ? `${one.is_overdue ? `▲ ${word("m_overdue")}` : one.is_due_soon ? `◆ ${word("m_due_soon")}` : "●"} ${word("before", { at: clock(one.next_due_at) })}`
      : `‖ ${one.state_words}`;
    const made = element(
      "li",
      { class: one.is_overdue ? "overdue" : one.is_due_soon ? "soon" : "", data: { number: one.number } },
      element("h2", {}, [one.urgency === "urgent" ? word("m_urgent_short") : "", one.category].filter(Boolean).join(word("m_dot"))),
      element("p", { class: "due" }, due),
      one.text ? element("p", {}, one.text) : "",
      element("p", { class: "quiet" }, [one.grid_name ?? one.village, one.place, one.state_words].filter(Boolean).join(word("m_dot"))),
      element("p", { class: "quiet" }, one.number),
      waiting
        ? note(`○ ${waiting.title}${word("m_dot")}${word("m_waiting")}`, "wait")
        : element("div", { class: "steps" }, steps.map((kind, at) => button(word(`step_${kind}`), () => tap(kind), at === 0 ? "main step" : "step"))),
      extra,
    );
    return made;
  };

  const redraw = async said => draw(await mine(), said);

  const draw = async (told, said) => {
    const items = await outbox.items();
    if (main.dataset.view !== "cases") return;
    const waiting = number => items.find(item => item.kind === "step" && item.path.includes(encodeURIComponent(number)));
    main.replaceChildren(
      back(),
      said ? note(said) : "",
      told && !told.isFresh && !said ? note(word("m_as_of", { at: clock(told.read_at) }), "wait") : "",
      !told ? note(word("m_no_cases_known"), "wait") : told.open.length ? element("ul", { class: "cards" }, told.open.map(one => card(one, waiting(one.number)))) : note(word("m_no_cases")),
      button(word("m_refresh"), () => redraw(), "plain"),
    );
  };

  // What was kept stands there at once; the newest takes its place, unless somebody has begun to write meanwhile.
  const open = async () => {
    const known = await outbox.kept("mine");
    if (known) await draw(known, word("m_list_coming"));
    const newest = await mine();
    if (!main.querySelector(".cards .stack")) await draw(newest);
  };

  views.cases = () => {
    open();
    return [back(), note(word("m_list_coming"))];
  };
  member.start();
})();
