// Small pieces that the field's pages share: elements from text (never from markup), words, place, photos.
"use strict";
window.field = (() => {
  const given = JSON.parse(document.getElementById("given").textContent);
  const word = (key, values = {}) =>
    (given.words[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));

  const element = (tag, properties = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
      if (name === "class") made.className = value;
      else if (name === "data") Object.assign(made.dataset, value);
      else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (name in made) made[name] = value;
      else made.setAttribute(name, value);
    }
    made.append(...children.flat().filter(child => child !== null && child !== undefined && child !== false));
    return made;
  };

  // Why a place was not found, as a key of the words.
  const placeFault = error =>
    !window.isSecureContext ? "place_insecure" : !navigator.geolocation ? "place_none" : error?.code === 1 ? "place_denied" : "place_lost";

  // Browsers tell WGS 84.
  const findPlace = () =>
    new Promise((resolve, reject) => {
      if (!window.isSecureContext || !navigator.geolocation) {
        reject(new Error(placeFault()));
        return;
      }
      navigator.geolocation.getCurrentPosition(
        ({ coords }) =>
          resolve({
            lng: Number(coords.longitude.toFixed(7)),
            lat: Number(coords.latitude.toFixed(7)),
            datum: "wgs84",
            accuracy_m: Math.round(coords.accuracy * 10) / 10,
          }),
        error => reject(new Error(placeFault(error))),
        { enableHighAccuracy: true, timeout: 20000, maximumAge: 10000 },
      );
    });

  // A phone's photo is drawn anew, smaller and without its tags; what cannot be drawn is sent as it is, and the server judges.
  const smallerPhoto = async file => {
    try {
      const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
      const share = Math.min(1, given.photo_px / Math.max(picture.width, picture.height));
      const canvas = document.createElement("canvas");
      canvas.width = Math.max(1, Math.round(picture.width * share));
      canvas.height = Math.max(1, Math.round(picture.height * share));
      const pen = canvas.getContext("2d");
      pen.fillStyle = "#fff";
      pen.fillRect(0, 0, canvas.width, canvas.height);
      pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
      picture.close();
      const blob = await new Promise(resolve => canvas.toBlob(resolve, "image/jpeg", 0.82));
      return blob ?? file;
    } catch {
      return file;
    }
  };

  const newKey = () => {
    if (crypto.randomUUID) return crypto.randomUUID();
    return [...crypto.getRandomValues(new Uint8Array(16))].map(byte => byte.toString(16).padStart(2, "0")).join("");
  };

  return { given, word, element, findPlace, smallerPhoto, newKey };
})();
