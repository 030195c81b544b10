/** Finding the page's own elements. */

/**
 * The one element that the page must have.
 *
 * @template {Element} T
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => T} type
 * @returns {T}
 */
export function find(root, selector, type) {
  const element = root.querySelector(selector);
  if (!(element instanceof type)) throw new Error(`the page has no \`${type.name}\` at \`${selector}\``);
  return element;
}

/**
 * A copy of the only element inside a template.
 *
 * @param {HTMLTemplateElement} template
 * @returns {HTMLElement}
 */
export function stamp(template) {
  return find(/** @type {DocumentFragment} */ (template.content.cloneNode(true)), "*", HTMLElement);
}
