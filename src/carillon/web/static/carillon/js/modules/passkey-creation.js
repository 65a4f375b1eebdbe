// Adding a passkey to the account, where the browser can make one.

import { read, write } from "../passkeys.js";

export default function passkeyCreation(form) {
  if (!window.PublicKeyCredential) return;
  form.hidden = false;
  const failure = form.querySelector("[role=alert]");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    failure.textContent = "";
    try {
      const options = await (await fetch("/account/authentication/passkeys/options")).json();
      const credential = await navigator.credentials.create({ publicKey: read(options) });
      const answer = await fetch("/account/authentication/passkeys/add", {
        method: "POST",
        headers: { "X-CSRFToken": form.elements.csrfmiddlewaretoken.value },
        body: JSON.stringify({ name: form.elements.name.value, credential: write(credential) }),
      });
      if (!answer.ok) throw new Error(String(answer.status));
      location.assign((await answer.json()).next);
    } catch {
      failure.textContent = form.dataset.failed;
    }
  });
}
