// Runs before the first paint, so that the page never flashes in the wrong colours.
try {
  var theme = localStorage.getItem("kinora.theme");
  if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
} catch (error) {
  // Without storage the system's choice stands.
}
