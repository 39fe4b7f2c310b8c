"""The page of `serve`: drop pictures on it, see what the accelerator makes of them. It needs this server alone."""

SCRIPT = """
const [list, input, area] = ["ul", "input", "label"].map(name => document.querySelector(name));
const show = async file => {
  const item = list.appendChild(document.createElement("li"));
  const image = item.appendChild(document.createElement("img"));
  image.src = URL.createObjectURL(file);
  image.alt = file.name;
  const text = item.appendChild(document.createElement("p"));
  text.textContent = "...";
  const answer = await fetch("classify", {method: "POST", body: file}).then(
    reply => reply.json(), () => ({error: "the server does not answer"}));
  item.className = answer.error ? "failed" : "done";
  text.textContent = answer.error || `${answer.class_names.join(", ")} (${answer.milliseconds.toFixed(2)} ms)`;
  list.prepend(item);
};
const take = files => { for (const file of files) show(file); };
input.addEventListener("change", () => take(input.files));
for (const name of ["dragover", "drop"]) area.addEventListener(name, event => event.preventDefault());
area.addEventListener("drop", event => take(event.dataTransfer.files));
"""

STYLE = """
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem; }
html { color-scheme: light dark; }
label { display: block; border: 2px dashed; border-radius: 8px; padding: 2.5rem 1rem; text-align: center; }
label { cursor: pointer; }
label:focus-within { outline: 3px solid #2f6db5; }
ul { display: grid; grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); gap: .8rem; }
ul { list-style: none; padding: 0; }
li { border: 1px solid; border-radius: 8px; padding: .6rem; overflow-wrap: anywhere; }
img { width: 100%; height: 8rem; object-fit: contain; image-rendering: pixelated; }
p { margin: .3rem 0 0; }
.failed { border-color: #b3261e; }
"""

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The accelerator, live</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
<main>
<h1>The accelerator, live</h1>
<p>{about}</p>
<label>Drop pictures here, or click to choose <input type="file" accept="image/*" multiple></label>
<ul aria-live="polite" aria-label="Answers"></ul>
</main>
<script>{script}</script>
</body>
</html>
"""
