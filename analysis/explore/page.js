// A slider writes into the number beside it; the number is what the page reads.
document.addEventListener("input", (event) => {
  const slider = event.target;
  if (slider.dataset && slider.dataset.for) {
    const number = document.getElementById(slider.dataset.for);
    number.value = slider.value;
    number.dispatchEvent(new Event("input", { bubbles: true }));
    number.dispatchEvent(new Event("change", { bubbles: true }));
  } else if (slider.classList && slider.classList.contains("number")) {
    follow(slider);
  }
});
function follow(number) {
  const slider = document.querySelector(`[data-for="${number.id}"]`);
  const value = parseFloat(number.value);
  if (!slider || Number.isNaN(value)) return;
  if (value < parseFloat(slider.min)) slider.min = value;
  if (value > parseFloat(slider.max)) slider.max = value;
  slider.value = value;
}
$(document).on("shiny:updateinput", (event) => {
  setTimeout(() => event.target.classList.contains("number") && follow(event.target), 0);
});
// The state stands in the address, so that a link restores it.
Shiny.addCustomMessageHandler("address", (query) => {
  history.replaceState(null, "", query ? "/?" + query : "/");
});
// A command is copied by a button where the browser allows it.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const text = document.getElementById(button.dataset.copy).innerText;
  navigator.clipboard.writeText(text).then(() => {
    button.innerText = "Copied";
    setTimeout(() => { button.innerText = "Copy"; }, 1500);
  });
});
// Rows of a table that hold none of the words are hidden; what is ticked stays ticked.
document.addEventListener("input", (event) => {
  const target = event.target.dataset && event.target.dataset.filter;
  if (!target) return;
  const words = event.target.value.toLowerCase().split(/\s+/);
  document.querySelectorAll(`#${target} tbody tr`).forEach((row) => {
    const text = row.textContent.toLowerCase();
    row.hidden = !words.every((word) => text.includes(word));
  });
});
