// Before the first paint, so that a chosen theme never flashes the other one.
try {
  const theme = localStorage.getItem('farm.theme');
  if (theme === 'dark' || theme === 'light') document.documentElement.dataset.theme = theme;
} catch {
  // Private windows may refuse storage.
}
