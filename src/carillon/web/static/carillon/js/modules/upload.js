// Files dropped or chosen are sent one by one with their real progress; the server answers the card that follows the analysis.

export default function upload(zone) {
  const input = zone.querySelector("input[type=file]");
  const target = document.getElementById(zone.dataset.target);
  const model = zone.querySelector("template");
  const submit = zone.querySelector("[data-nojs]");
  if (submit) submit.hidden = true;

  input.addEventListener("change", sendChosen);
  for (const kind of ["dragenter", "dragover"]) {
    zone.addEventListener(kind, (event) => {
      event.preventDefault();
      zone.classList.add("is-over");
    });
  }
  for (const kind of ["dragleave", "drop"]) zone.addEventListener(kind, () => zone.classList.remove("is-over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    sendAll([...event.dataTransfer.files]);
  });
  sendChosen(); // whoever chose before this script arrived waits for nothing

  function sendChosen() {
    const files = [...input.files];
    input.value = "";
    sendAll(files);
  }

  async function sendAll(files) {
    for (const file of files) await send(file); // in turn: one slow line is better than five
  }

  function send(file) {
    const card = model.content.firstElementChild.cloneNode(true);
    const bar = card.querySelector("progress");
    const percent = card.querySelector("[data-percent]");
    card.querySelector("[data-name]").textContent = file.name;
    target.append(card);
    if (file.size > Number(zone.dataset.most)) {
      card.querySelector(".progress").remove();
      card.querySelector("[data-too-big]").hidden = false;
      turnIntoClose(card);
      return Promise.resolve();
    }
    return new Promise((done) => {
      const request = new XMLHttpRequest();
      card.querySelector("[data-cancel]")?.addEventListener("click", () => request.abort());
      request.upload.addEventListener("progress", (event) => {
        if (!event.lengthComputable) return;
        bar.value = event.loaded / event.total;
        percent.textContent = `${Math.floor((100 * event.loaded) / event.total)} %`;
      });
      request.addEventListener("load", () => {
        if (request.status === 200) replace(card, request.responseText);
        else fail(card, request);
        done();
      });
      request.addEventListener("error", () => {
        fail(card, request);
        done();
      });
      request.addEventListener("abort", () => {
        card.remove();
        done();
      });
      const body = new FormData();
      body.append("files", file);
      request.open("POST", zone.dataset.url);
      request.setRequestHeader("X-CSRFToken", zone.querySelector("[name=csrfmiddlewaretoken]").value);
      request.setRequestHeader("HX-Request", "true");
      request.send(body);
    });
  }

  function replace(card, html) {
    const fragment = document.createRange().createContextualFragment(html);
    const added = [...fragment.children];
    card.replaceWith(fragment);
    for (const element of added) window.htmx.process(element);
  }

  function turnIntoClose(card) {
    const button = card.querySelector("[data-cancel]");
    button.textContent = button.dataset.closeText;
    button.addEventListener("click", () => card.remove());
  }

  function fail(card, request) {
    turnIntoClose(card);
    card.querySelector(".progress").remove();
    const problem = card.querySelector("[data-problem]");
    problem.hidden = false;
    if (request.status === 422 || request.status === 413) problem.textContent = request.responseText;
  }
}
