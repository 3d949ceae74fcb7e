// Keeps the list current without a reload: asks for the page as it is now and changes what differs, so that focus,
// selection and scroll stay. The server renders everything; without this script its links and forms do the same.
"use strict";

const EVERY = 2000;
const SLOWEST = 60000;
const view = document.getElementById("view");
const trouble = document.getElementById("trouble");
const updated = document.getElementById("updated");
const pause = document.getElementById("pause");

let known = {};
let shown = location.href;
let asked = 0;
let failures = 0;
let timer = 0;
let clockOffset = serverNow() - Date.now();

function serverNow() {
  return Date.parse(view.dataset.now);
}

async function load() {
  const mine = ++asked;
  clearTimeout(timer);
  try {
    const answer = await fetch(shown, {
      cache: "no-store",
      redirect: "manual",
      headers: known.url === shown ? { "If-None-Match": known.etag } : {},
    });
    if (answer.type === "opaqueredirect" || answer.status === 401) {
      return say("Your login has ended.", "Log in again");
    }
    if (!answer.ok && answer.status !== 304) throw new Error(`the service answered ${answer.status}`);
    const text = await answer.text();
    if (mine !== asked) return;
    if (answer.ok) {
      show(text);
      known = { url: shown, etag: answer.headers.get("ETag") };
    }
    failures = 0;
    trouble.hidden = true;
    updated.textContent = "updates by itself";
  } catch (error) {
    if (mine !== asked) return;
    failures += 1;
    const why = error instanceof TypeError ? "it cannot be reached" : error.message;
    say(`Not updated since ${new Date(Date.now() + clockOffset).toISOString().slice(11, 16)} UTC: ${why}. Trying again.`);
  }
  plan();
}

function plan() {
  clearTimeout(timer);
  if (document.hidden || paused()) return;
  timer = setTimeout(load, Math.min(EVERY * 2 ** failures, SLOWEST));
}

function paused() {
  return pause.getAttribute("aria-pressed") === "true";
}

function say(text, link) {
  // The time of the first failure is what matters: later ones do not change the words.
  if (failures <= 1) {
    trouble.textContent = `${text} `;
    if (link) trouble.append(Object.assign(document.createElement("a"), { href: location.href, textContent: link }));
  }
  trouble.hidden = false;
  updated.textContent = "not updated";
}

function show(text) {
  const page = new DOMParser().parseFromString(text, "text/html");
  const focused = document.activeElement;
  change(view, page.getElementById("view"));
  document.title = page.title;
  clockOffset = serverNow() - Date.now();
  age();
  // A row that moves takes the focus from what is in it.
  if (focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
}

// Makes `old` what `fresh` is. Elements with an id keep their identity wherever they move.
function change(old, fresh) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  if (old.classList.contains("age")) return;
  const known = new Map([...old.children].filter((child) => child.id).map((child) => [child.id, child]));
  let place = old.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    let node = wanted.id ? known.get(wanted.id) : place;
    if (node && node.nodeName === wanted.nodeName && (node.id ?? "") === (wanted.id ?? "")) {
      change(node, wanted);
    } else {
      node = wanted;
    }
    if (node === place) place = place.nextSibling;
    else old.insertBefore(node, place);
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}

// The same words as page/words.py has.
function duration(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const [minutes, hours, days] = [60, 3600, 86400].map((unit) => Math.floor(seconds / unit));
  if (minutes < 1) return `${seconds} s`;
  if (hours < 1) return `${minutes} min`;
  if (days < 1) return `${hours} h ${String(minutes % 60).padStart(2, "0")} min`;
  return `${days} d ${hours % 24} h`;
}

function age() {
  for (const time of view.querySelectorAll("time.age")) {
    const text = duration(Date.now() + clockOffset - Date.parse(time.dateTime));
    if (time.textContent !== text) time.textContent = text;
  }
}

function go(url, replace) {
  if (replace) history.replaceState(null, "", url);
  else history.pushState(null, "", url);
  shown = location.href.split("#")[0];
  load();
}

// The URL that the filters stand for now; page and hidden fields of the form as the last answer has them.
function filtered() {
  const form = document.getElementById("filters");
  const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
  return form.getAttribute("action") + (query.size ? `?${query}` : "");
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("#view a");
  const plain = !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || event.button);
  if (link && plain && link.pathname === location.pathname && link.origin === location.origin && !link.hash) {
    event.preventDefault();
    go(link.href);
    fill(new URL(link.href).searchParams);
    if (link.closest(".pager")) scrollTo(0, 0);
  }
  if (event.target.closest("[data-copy]")) copy(event.target.closest("[popover]"));
});

document.addEventListener("submit", (event) => {
  if (event.target.id !== "filters") return;
  event.preventDefault();
  go(filtered());
});

let typing = 0;
document.addEventListener("input", (event) => {
  if (!event.target.closest("#filters")) return;
  clearTimeout(typing);
  const text = event.target.type === "search";
  typing = setTimeout(() => go(filtered(), text), text ? 150 : 0);
});

document.addEventListener("keydown", (event) => {
  const writing = event.target.closest("input, select, textarea, [popover]");
  if (event.key !== "/" || writing || event.ctrlKey || event.metaKey || event.altKey) return;
  const search = document.getElementById("q");
  if (!search) return;
  event.preventDefault();
  search.focus();
  search.select();
});

function fill(query) {
  for (const field of document.querySelectorAll("#filters [name]:not([type=hidden])")) {
    field.value = query.get(field.name) ?? "";
  }
}

async function copy(box) {
  const code = box.querySelector("code");
  const button = box.querySelector("[data-copy]");
  getSelection().selectAllChildren(code);
  // Browsers give the clipboard to pages of https alone: elsewhere the line is selected, ready for the keys.
  if (!navigator.clipboard) return;
  await navigator.clipboard.writeText(code.textContent);
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = "Copy"), 2000);
}

addEventListener("popstate", () => {
  shown = location.href.split("#")[0];
  fill(new URLSearchParams(location.search));
  load();
});

document.addEventListener("visibilitychange", () => (document.hidden || paused() ? clearTimeout(timer) : load()));

pause.addEventListener("click", () => {
  pause.setAttribute("aria-pressed", String(!paused()));
  updated.textContent = paused() ? "paused" : "updates by itself";
  if (paused()) clearTimeout(timer);
  else load();
});

setInterval(age, 1000);
shown = location.href.split("#")[0];
plan();
