// The dialog opens once the message's history has arrived in it.

export default function history(dialog) {
  dialog.addEventListener("htmx:afterSwap", () => {
    if (!dialog.open) dialog.showModal();
  });
}
