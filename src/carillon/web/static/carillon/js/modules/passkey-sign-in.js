// Signing in with a passkey: shown where the browser can, tells the server the device's answer, goes where it says.

import { read, write } from "../passkeys.js";

export default function passkeySignIn(area) {
  if (!window.PublicKeyCredential) return;
  area.hidden = false;
  const failure = area.querySelector("[role=alert]");
  area.querySelector("button").addEventListener("click", async () => {
    failure.textContent = "";
    try {
      const options = await (await fetch("/login/passkey/options")).json();
      const credential = await navigator.credentials.get({ publicKey: read(options) });
      const answer = await fetch(`/login/passkey?next=${encodeURIComponent(area.dataset.next)}`, {
        method: "POST",
        headers: { "X-CSRFToken": area.closest("form").elements.csrfmiddlewaretoken.value },
        body: JSON.stringify(write(credential)),
      });
      if (!answer.ok) throw new Error(String(answer.status));
      location.assign((await answer.json()).next);
    } catch {
      failure.textContent = area.dataset.failed;
    }
  });
}
