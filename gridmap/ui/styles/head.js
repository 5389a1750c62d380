// The wall's head. Everything is set as text, never as HTML. Called again with new data at each refresh.
const heads = new WeakMap();

function build(root) {
  const add = (parent, tag, name) => {
    const node = document.createElement(tag);
    node.className = name;
    parent.append(node);
    return node;
  };
  root.replaceChildren(); // what an earlier mount of the same place has left
  const left = add(root, "div", "head-left");
  const right = add(root, "div", "head-right");
  return {
    title: add(left, "h1", "head-title"),
    counts: add(left, "span", "head-counts"),
    newest: add(right, "span", "head-newest"),
    badge: add(right, "span", "head-badge"),
    date: add(right, "span", "head-date"),
    clock: add(right, "span", "head-clock"),
  };
}

function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function age(words, seconds) {
  if (seconds < 60) return words.seconds.replace("{n}", Math.max(0, Math.floor(seconds)));
  if (seconds < 3600) return words.minutes.replace("{n}", Math.floor(seconds / 60));
  return words.hours.replace("{n}", Math.floor(seconds / 3600));
}

function tick(head) {
  const { data, nodes } = head;
  const now = Date.now() + head.offset;
  const seconds = (now - data.checked_at) / 1000;
  const state = seconds <= 60 ? "good" : seconds <= 600 ? "wait" : "alarm";
  put(nodes.title, data.title);
  put(nodes.counts, data.counts);
  put(nodes.newest, data.newest);
  put(nodes.badge, age(data.words, seconds));
  if (nodes.badge.dataset.state !== state) nodes.badge.dataset.state = state;
  put(nodes.date, `${head.day.format(now)} ${head.weekday.format(now)}`);
  put(nodes.clock, head.time.format(now));
}

// Width and height of the window and of the map's box: the server fits the map to them.
function size() {
  const map = document.querySelector(".st-key-wall_map");
  const box = map ? map.getBoundingClientRect() : { width: 0, height: 0 };
  return [window.innerWidth, window.innerHeight, Math.round(box.width), Math.round(box.height)];
}

function tell(head) {
  const now = size();
  if (!now[2] || !now[3]) return;
  if (head.told.every((length, at) => Math.abs(length - now[at]) <= 2)) return;
  head.told = now;
  document.cookie = `gridmap_screen=${now.join(".")}; path=/; max-age=31536000; SameSite=Lax`;
  head.setStateValue("screen", now);
}

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".head");
  let head = heads.get(root);
  if (!head) {
    head = { nodes: build(root), told: data.screen };
    heads.set(root, head);
    let waiting;
    const later = () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => tell(head), 150);
    };
    window.addEventListener("resize", later);
    const seen = new ResizeObserver(later);
    const look = setInterval(() => {
      const map = document.querySelector(".st-key-wall_map");
      if (map && map !== head.map) {
        if (head.map) seen.unobserve(head.map);
        head.map = map;
        seen.observe(map);
      }
      tick(head);
    }, 250);
    head.end = () => {
      clearInterval(look);
      clearTimeout(waiting);
      seen.disconnect();
      window.removeEventListener("resize", later);
      if (heads.get(root) === head) heads.delete(root);
    };
  }
  if (!head.data || head.data.language !== data.language || head.data.zone !== data.zone) {
    const zone = { timeZone: data.zone };
    head.day = new Intl.DateTimeFormat(data.language, { ...zone, month: "long", day: "numeric" });
    head.weekday = new Intl.DateTimeFormat(data.language, { ...zone, weekday: "long" });
    head.time = new Intl.DateTimeFormat(data.language, { ...zone, hour: "2-digit", minute: "2-digit", hour12: false });
  }
  head.setStateValue = setStateValue;
  head.data = data;
  head.offset = data.server_now - Date.now();
  tick(head);
  return () => head.end();
}
