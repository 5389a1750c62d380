// Tells the server how large the window is, once and after a change; a cookie remembers it for the next visit.
export default function ({ data, parentElement, setStateValue }) {
  parentElement.hidden = true;
  let told = data.window;
  let waiting;
  const tell = () => {
    const now = [window.innerWidth, window.innerHeight];
    if (told.every((length, at) => Math.abs(length - now[at]) <= 8)) return;
    told = now;
    document.cookie = `gridmap_window=${now.join(".")}; path=/; max-age=31536000; SameSite=Lax`;
    setStateValue("window", now);
  };
  const later = () => {
    clearTimeout(waiting);
    waiting = setTimeout(tell, 200);
  };
  window.addEventListener("resize", later);
  tell();
  return () => {
    clearTimeout(waiting);
    window.removeEventListener("resize", later);
  };
}
