// The bar of deeds on ticked rows: shown only while something is ticked, and says how many. Without scripts it stays in sight.

export default function ticked(bar) {
  const count = bar.querySelector("[data-ticked-count]");
  const show = () => {
    const n = document.querySelectorAll(`input[name="${bar.dataset.ticked}"]:checked`).length;
    count.textContent = n;
    bar.hidden = n === 0;
  };
  document.addEventListener("change", show);
  document.addEventListener("carillon:ticked", show);
  show();
}
