"""What a page owes to those who work by keyboard, by screen reader, or with weak eyes: found in the browser, as it is drawn.

After WCAG 2.2, level AA: 1.3.1 (headings, tables, labels), 1.4.3 (contrast), 2.4.3 (focus order), 2.4.7 (visible focus), 4.1.2 (names).
"""

from __future__ import annotations

from playwright.sync_api import Page

REACHABLE = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']"
_STRUCTURE = """() => {
  const said = one => one.outerHTML.slice(0, 120), found = [], name = one =>
    (one.getAttribute('aria-label') || '').trim()
    || (one.getAttribute('aria-labelledby') || '').split(' ').map(id => document.getElementById(id)?.innerText || '').join(' ').trim();
  const headings = [...document.querySelectorAll('h1, h2, h3, h4')].map(one => +one.tagName[1]);
  if (headings.filter(level => level === 1).length !== 1) found.push('not one h1');
  headings.forEach((level, at) => { if (at && level > headings[at - 1] + 1) found.push(`h${headings[at - 1]} is followed by h${level}`) });
  if (!document.documentElement.lang || !document.title.trim()) found.push('no language or title');
  if (!document.querySelector('main') || !document.querySelector('nav[aria-label]')) found.push('no landmarks');
  for (const table of document.querySelectorAll('table')) {
    if (!table.caption && !name(table) && !table.closest('[role=region]')) found.push('table without a name: ' + said(table));
    if (!table.querySelector('thead th')) found.push('table without headers: ' + said(table));
  }
  for (const head of document.querySelectorAll('th')) {
    if (!head.scope) found.push('header of what? ' + said(head));
    if (!head.textContent.trim() && !head.querySelector('[aria-label]')) found.push('empty header: ' + said(head));
  }
  for (const one of document.querySelectorAll('[role=region], section, form[role=search], svg[role=img]'))
    if (!name(one) && one.tagName !== 'SECTION') found.push('no name: ' + said(one));
  for (const one of document.querySelectorAll('input:not([type=hidden]), select, textarea'))
    if (!name(one) && ![...(one.labels || [])].some(label => label.innerText.trim())) found.push('no label: ' + said(one));
  for (const one of document.querySelectorAll('a[href], button, summary'))
    if (!one.innerText.trim() && !name(one) && one.checkVisibility()) found.push('says nothing: ' + said(one));
  for (const one of document.querySelectorAll('*')) {
    const style = getComputedStyle(one);
    if (['auto', 'scroll'].includes(style.overflowX) && one.scrollWidth > one.clientWidth && one.tabIndex < 0)
      found.push('scrolls, but not by keyboard: ' + said(one));
    if (one.tabIndex > 0) found.push('jumps the order: ' + said(one));
  }
  const ids = [...document.querySelectorAll('[id]')].map(one => one.id);
  ids.filter((id, at) => ids.indexOf(id) !== at).forEach(id => found.push('two of id ' + id));
  return found;
}"""
# relative luminance and contrast as WCAG defines them; 3 is enough for large text (24 px, or 18.66 px bold)
_CONTRAST = """() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgba = colour => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => { const [x, y, z] = [r, g, b].map(v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * x + .7152 * y + .0722 * z };
  const ground = one => {
    for (; one; one = one.parentElement) { const c = rgba(getComputedStyle(one).backgroundColor); if (c[3] === 255) return c; }
    return rgba('Canvas');
  };
  const found = new Set(), walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const one = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || !one.checkVisibility() || one.closest('option, script, svg, .skip')) continue;
    const style = getComputedStyle(one), size = parseFloat(style.fontSize);
    const [a, b] = [light(rgba(style.color)), light(ground(one))].sort((x, y) => y - x);
    const enough = size >= 24 || size >= 18.66 && +style.fontWeight >= 700 ? 3 : 4.5, contrast = (a + .05) / (b + .05);
    if (contrast < enough)
      found.add(`contrast ${contrast.toFixed(2)}: ${style.color} on ${ground(one)}: ${one.outerHTML.slice(0, 120)}`);
  }
  return [...found];
}"""
# where the focus is, whether it is seen, and whether it came on in the order of the page
_FOCUS = """() => {
  const one = document.activeElement, style = getComputedStyle(one), before = window.before;
  window.before = one; one.dataset.reached = '1';
  if (one === document.body) return '';
  const seen = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
  const inOrder = !before || !before.isConnected || before.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_FOLLOWING;
  return seen ? inOrder ? '' : 'out of order: ' + one.outerHTML : 'not seen: ' + one.outerHTML;
}"""


def faults(page: Page) -> list[str]:
    """What is wrong with the page as it is drawn, in words; nothing for a page that is all right."""
    return [*page.evaluate(_STRUCTURE), *page.evaluate(_CONTRAST)]


def keyboard_faults(page: Page) -> list[str]:
    """What the Tab key does not reach, reaches out of order, or leaves unseen."""
    shown = page.locator(f":is({REACHABLE}):visible")
    found = []
    for _ in range(shown.count()):
        page.keyboard.press("Tab")
        found.append(page.evaluate(_FOCUS))
    missed = page.locator(f":is({REACHABLE}):visible:not([data-reached])").evaluate_all(
        "all => all.map(one => 'not reached: ' + one.outerHTML)"
    )
    return [fault for fault in found if fault] + missed
