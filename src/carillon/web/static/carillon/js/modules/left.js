// How many characters may still be typed into a short field.

export default function left(input) {
  const slot = document.getElementById(input.dataset.left);
  const show = () => {
    slot.textContent = `${input.maxLength - input.value.length} / ${input.maxLength}`;
  };
  input.addEventListener("input", show);
  show();
}
