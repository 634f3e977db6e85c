// The colours chosen on the other pages, before anything is drawn.
"use strict";
try {
  const theme = localStorage.getItem("kinora.theme");
  if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
} catch {
  // Without storage the system's choice stands.
}
