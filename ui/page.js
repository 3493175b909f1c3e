// Translate the words that Streamlit writes in English, wherever they appear on the page; back again in English.
// Content of the application is left alone: its texts are in Markdown containers, tables and fields.
(function () {
  const ATTRIBUTES = ["aria-label", "title", "placeholder"];
  const CONTENT = "[data-testid=stMarkdownContainer], table, textarea, option, script, style, code";
  const UPLOADER = "[data-testid=stFileUploader] button";
  const settings = SETTINGS;
  const translate = (text) => {
    const trimmed = text.trim();
    if (!trimmed) return null;
    const [word, ...name] = trimmed.split(": ");
    if (word in settings.words) return text.replace(trimmed, [settings.words[word], ...name].join(" : "));
    for (const [pattern, replacement] of settings.patterns) {
      if (pattern.test(trimmed)) return text.replace(trimmed, trimmed.replace(pattern, replacement));
    }
    return null;
  };
  const visit = (node) => {
    if (node.nodeType === Node.TEXT_NODE) {
      const parent = node.parentElement;
      if (parent === null || (parent.closest(CONTENT) !== null && parent.closest(UPLOADER) === null)) return;
      const translated = translate(node.nodeValue);
      if (translated !== null && translated !== node.nodeValue) node.nodeValue = translated;
      return;
    }
    if (node.nodeType !== Node.ELEMENT_NODE) return;
    // Streamlit names this section and takes its role away at the same time.
    if (node.matches("[data-testid=stFileUploaderDropzone][role=presentation]")) node.setAttribute("role", "group");
    for (const name of ATTRIBUTES) {
      const translated = node.hasAttribute(name) ? translate(node.getAttribute(name)) : null;
      if (translated !== null && translated !== node.getAttribute(name)) node.setAttribute(name, translated);
    }
    node.childNodes.forEach(visit);
  };
  settings.patterns = settings.patterns.map(([pattern, replacement]) => [new RegExp(pattern), replacement]);
  if (window.pageWords !== undefined) window.pageWords.disconnect();
  window.pageWords = new MutationObserver((changes) => {
    for (const change of changes) {
      if (change.type === "childList") change.addedNodes.forEach(visit);
      else if (change.type === "characterData") visit(change.target);
      else {
        const translated = translate(change.target.getAttribute(change.attributeName) ?? "");
        if (translated !== null && translated !== change.target.getAttribute(change.attributeName)) {
          change.target.setAttribute(change.attributeName, translated);
        }
      }
    }
  });
  // Streamlit sends the text of a text area when the field is left, or by a key: here after a pause in typing too, so
  // that a reload loses nothing. In a field that may be gone a moment later, because a click or what is typed elsewhere
  // has the page drawn anew, each text is sent at once.
  if (window.lastClick === undefined) {
    // What is typed elsewhere is sent after a pause; from then on the fields that it may replace are marked as stale.
    const TYPING_PAUSE_MS = 300, DRAWING_MS = 3000, UNTIL_STALE_MS = 1000;
    const FIELDS = "[data-testid=stTextArea] textarea, [data-testid=stTextInput] input";
    const key = { key: "Enter", ctrlKey: true, bubbles: true, cancelable: true };
    let pause = 0, typedIn = null, typedAt = -UNTIL_STALE_MS, typedElsewhereAt = -UNTIL_STALE_MS;
    window.lastClick = -DRAWING_MS;
    document.addEventListener("click", ({ target }) => {
      if (!target.matches(FIELDS)) window.lastClick = performance.now();
    }, true);
    document.addEventListener("input", ({ target: field }) => {
      if (!field.matches(FIELDS) || field.closest("[data-testid=stForm]") !== null) return;
      const now = performance.now();
      if (field !== typedIn) {
        // A page that is being drawn may be drawing what was typed elsewhere, however long ago on a slow machine.
        const isDrawn = document.querySelector("[data-test-script-state=running]") !== null;
        typedElsewhereAt = isDrawn ? now : typedAt;
      }
      [typedIn, typedAt] = [field, now];
      const mayBeGone = now - window.lastClick < DRAWING_MS || now - typedElsewhereAt < UNTIL_STALE_MS
        || field.closest("[data-stale=true]") !== null;
      if (!mayBeGone && !field.matches("textarea")) return;
      clearTimeout(pause);
      pause = setTimeout(() => field.dispatchEvent(new KeyboardEvent("keydown", key)), mayBeGone ? 0 : TYPING_PAUSE_MS);
    });
  }
  window.pageWords.observe(document.body, {
    subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ATTRIBUTES,
  });
  visit(document.body);
})();
