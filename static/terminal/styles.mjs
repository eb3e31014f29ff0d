//! Lets xterm.js style itself under a Content-Security-Policy without inline styles: what it writes into <style> elements goes
//! into constructed style sheets, and its `style` attributes become properties. Both are scripts' own doing, which CSP allows.

/** Stands where xterm.js puts a <style>: even an empty one of those is refused. */
function styleElement() {
  const sheet = new CSSStyleSheet();
  document.adoptedStyleSheets.push(sheet);
  const element = Document.prototype.createElement.call(document, "span");
  element.hidden = true;
  Object.defineProperty(element, "textContent", { set: (text) => sheet.replaceSync(text), get: () => "" });
  element.remove = () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((other) => other !== sheet);
    Element.prototype.remove.call(element);
  };
  return element;
}

function setAttribute(name, value) {
  if (name === "style") this.style.cssText = value;
  else Element.prototype.setAttribute.call(this, name, value);
}

function createElement(name, options) {
  if (name === "style") return styleElement();
  const element = Document.prototype.createElement.call(document, name, options);
  if (name === "span") element.setAttribute = setAttribute;
  return element;
}

/** The document as xterm.js may see it: the same, but what it creates is styled in the permitted way. */
export const styledDocument = new Proxy(document, {
  get(target, name) {
    if (name === "createElement") return createElement;
    const value = Reflect.get(target, name, target);
    return typeof value === "function" ? value.bind(target) : value;
  },
  set: (target, name, value) => Reflect.set(target, name, value, target),
});

/** Runs `build`, in which xterm.js reaches for the global document (its viewport does), with the same care. Synchronous. */
export function withStyledDocument(build) {
  document.createElement = createElement;
  try {
    return build();
  } finally {
    delete document.createElement;
  }
}
