// The pages need none of this. Inside Airflow it does what a page in a frame can't do by itself.
const outside = window.parent !== window ? window.parent.document : null;

// light or dark, as Airflow is
if (outside) {
  const take = () => {
    document.documentElement.dataset.theme = outside.documentElement.classList.contains("dark") ? "dark" : "light";
  };
  new MutationObserver(take).observe(outside.documentElement, { attributes: true, attributeFilter: ["class"] });
  take();
}

// a link to a page of Airflow leaves the frame
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-airflow]");
  if (!outside || !link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const same = outside.createElement("a");
  same.href = link.href;
  outside.body.append(same);
  same.click();
  same.remove();
});

// one box for all boxes of a list
document.addEventListener("change", (event) => {
  if (!event.target.matches("input[data-all]")) return;
  for (const box of document.querySelectorAll(`input[name="${event.target.dataset.all}"]`)) box.checked = event.target.checked;
});
