// The residents' form with what a browser can add: place, smaller photos, one tap is one report. It works without this file too.
"use strict";
(() => {
  const { given, word, element, findPlace, smallerPhoto } = window.field;
  const form = document.getElementById("report");
  if (!form) return;
  const said = document.getElementById("said");
  const say = (text, kind = "wait") => {
    said.textContent = text;
    said.className = `note ${kind}`;
    said.hidden = !text;
  };

  const asked = document.getElementById("ask_place");
  asked.closest("[hidden]")?.removeAttribute("hidden");
  asked.addEventListener("click", async () => {
    const told = document.getElementById("place_said");
    asked.disabled = true;
    told.textContent = word("place_looking");
    try {
      const found = await findPlace();
      for (const name of ["lng", "lat", "accuracy_m"]) form.elements[name].value = found[name];
      told.textContent = word("place_found", { metres: Math.round(found.accuracy_m) });
      asked.textContent = word("place_again");
    } catch (fault) {
      told.textContent = word(fault.message);
    }
    asked.disabled = false;
  });

  const photos = form.elements.photo;
  const thumbs = document.getElementById("thumbs");
  photos.addEventListener("change", async () => {
    const chosen = [...photos.files].slice(0, given.max_photos);
    if (photos.files.length > chosen.length) say(word("photos_most", { most: given.max_photos }));
    const small = new DataTransfer();
    for (const file of chosen) {
      const blob = await smallerPhoto(file);
      small.items.add(blob === file ? file : new File([blob], "photo.jpg", { type: "image/jpeg" }));
    }
    photos.files = small.files;
    for (const old of thumbs.querySelectorAll("img")) URL.revokeObjectURL(old.src);
    thumbs.replaceChildren(
      ...[...small.files].map(file => element("img", { src: URL.createObjectURL(file), alt: word("photo_one") })),
    );
  });

  form.addEventListener("submit", event => {
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    if (!form.querySelector('input[name="category"]:checked')) {
      event.preventDefault();
      say(word("error_category"), "alarm");
      said.scrollIntoView({ block: "center" });
      return;
    }
    if (!navigator.onLine) {
      event.preventDefault();
      say(word("error_offline"), "alarm");
      return;
    }
    form.dataset.sent = "yes";
    const button = form.querySelector("button.main");
    button.textContent = word("sending");
    button.disabled = true;
  });

  // Back from the answer: what is sent now is another report, with a key of its own.
  window.addEventListener("pageshow", event => {
    if (event.persisted) window.location.reload();
  });
})();
