// What is wrong with a page, as a list of sentences. Run by the tests in the page itself.
(() => {
  const wrong = [];
  const named = (element) =>
    element.tagName.toLowerCase() + (element.id ? "#" + element.id : "") +
    " '" + (element.textContent || "").trim().slice(0, 40) + "'";

  // What is folded is a part of the page.
  document.querySelectorAll("details").forEach((one) => { one.open = true; });

  const root = document.scrollingElement;
  if (root.scrollWidth > window.innerWidth) {
    wrong.push("scrolls sideways: " + root.scrollWidth + " of " + window.innerWidth);
    document.querySelectorAll("body *").forEach((one) => {
      const isInside = one.parentElement.closest(".scroll");
      if (!isInside && one.getBoundingClientRect().right > window.innerWidth + 1) {
        wrong.push("reaches out: " + named(one));
      }
    });
  }

  const ids = new Set();
  document.querySelectorAll("[id]").forEach((one) => {
    if (ids.has(one.id)) wrong.push("id twice: " + one.id);
    ids.add(one.id);
  });
  document.querySelectorAll("[href^='#']").forEach((one) => {
    if (!ids.has(one.getAttribute("href").slice(1))) wrong.push("leads nowhere: " + named(one));
  });
  document.querySelectorAll("body svg").forEach((one) => {
    const label = (one.getAttribute("aria-label") || "").trim();
    if (one.getAttribute("aria-hidden") !== "true" && (one.getAttribute("role") !== "img" || !label)) {
      wrong.push("no alternative text: " + named(one));
    }
  });
  document.querySelectorAll("figure").forEach((one) => {
    if (!one.querySelector("svg[role=img][aria-label]")) wrong.push("no picture: " + named(one));
  });
  document.querySelectorAll(".scroll").forEach((one) => {
    if (one.tabIndex !== 0 || one.getAttribute("role") !== "region" || !one.ariaLabel) {
      wrong.push("cannot be scrolled by keyboard: " + named(one));
    }
  });
  if (document.querySelector("script, iframe, object, embed, img, foreignObject")) {
    wrong.push("has what no page of ours has");
  }

  // Contrast as WCAG 2.2 defines it, of each text with what is painted below it.
  const parse = (colour) => {
    const parts = colour.match(/[\d.]+/g);
    if (!parts || colour === "none") return [0, 0, 0, 0];
    const [r, g, b, a = 1] = parts.map(Number);
    return [r, g, b, a];
  };
  const over = ([r, g, b, a], below) =>
    [r, g, b].map((part, place) => part * a + below[place] * (1 - a));
  const luminance = (colour) => {
    const [r, g, b] = colour.map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, other) => {
    const [a, b] = [luminance(one), luminance(other)];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  };
  const backgrounds = new Map();
  const background = (element) => {
    if (!element) return [255, 255, 255];
    if (!backgrounds.has(element)) {
      const own = parse(getComputedStyle(element).backgroundColor);
      backgrounds.set(element, own[3] === 1 ? own.slice(0, 3) : over(own, background(element.parentElement)));
    }
    return backgrounds.get(element);
  };
  const shapes = new Map();
  const filled = (svg) => {
    if (!shapes.has(svg)) {
      const all = [...svg.querySelectorAll("rect, circle, ellipse, polygon, path, text")];
      shapes.set(svg, all.map((shape) => {
        const style = getComputedStyle(shape);
        const [r, g, b, a] = parse(style.fill);
        return { shape, fill: [r, g, b, a * style.fillOpacity * style.opacity] };
      }));
    }
    return shapes.get(svg);
  };
  const below = (text, svg) => {
    const box = text.getBoundingClientRect();
    const middle = new DOMPoint(box.x + box.width / 2, box.y + box.height / 2);
    let colour = background(svg);
    for (const { shape, fill } of filled(svg)) {
      if (shape === text) break;
      if (fill[3] === 0 || !shape.isPointInFill) continue;
      const edge = shape.getBoundingClientRect();
      if (middle.x < edge.left || middle.x > edge.right) continue;
      if (middle.y < edge.top || middle.y > edge.bottom) continue;
      const inside = middle.matrixTransform(shape.getScreenCTM().inverse());
      if (shape.isPointInFill(inside)) colour = over(fill, colour);
    }
    return colour;
  };
  const opacity = (element) =>
    element ? Number(getComputedStyle(element).opacity) * opacity(element.parentElement) : 1;

  let texts = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || element.closest("title, style, .looks")) continue;
    if (!element.checkVisibility()) continue;
    texts += 1;
    const svg = element.closest("svg");
    const style = getComputedStyle(element);
    const under = svg ? below(element, svg) : background(element);
    const own = parse(svg ? style.fill : style.color);
    const shown = over([own[0], own[1], own[2], own[3] * opacity(element)], under);
    const found = contrast(shown, under);
    if (found < 4.5) wrong.push("contrast " + found.toFixed(2) + ": " + named(element));
  }
  return { wrong, texts };
})()
