// The tracks, and whose uploads these are, as arrays of one length.
const UNITS = 10000; // of the tracks' places, see tracks/map_points.py
export const YOURS = -1;

const json = async (url) => {
  const response = await fetch(url, { headers: { Accept: "application/json" } });
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return response.json();
};

const nobodys = { uploads: [] };

export const load = async (frame, hues) => {
  const { points, yours, page, audio, aboutYours } = frame.dataset;
  const [tracks, mine] = await Promise.all([
    json(points),
    yours ? json(yours).catch(() => nobodys) : nobodys, // the map is worth showing without them
  ]);
  const count = tracks.id.length;
  const total = count + mine.uploads.length;
  const found = { total, x: new Float32Array(total), y: new Float32Array(total), hue: new Int8Array(total) };
  for (let i = 0; i < count; i += 1) {
    found.x[i] = tracks.x[i] / UNITS;
    found.y[i] = tracks.y[i] / UNITS;
    found.hue[i] = hues.get(tracks.soundtracks[tracks.soundtrack[i]]) ?? 0;
  }
  mine.uploads.forEach((upload, place) => {
    found.x[count + place] = upload.x;
    found.y[count + place] = upload.y;
    found.hue[count + place] = YOURS;
  });
  found.uploads = mine.uploads.length;
  found.of = (id) => tracks.id.indexOf(Number(id || NaN));
  found.about = (i) => {
    if (i >= count) return { ...mine.uploads[i - count], about: aboutYours };
    const names = [tracks.artists[tracks.artist[i]], tracks.soundtracks[tracks.soundtrack[i]]];
    const at = (url) => url.replace("/0/", `/${tracks.id[i]}/`);
    return { title: tracks.title[i], about: names.filter(Boolean).join(" · "), page: at(page), audio: at(audio) };
  };
  return found;
};
