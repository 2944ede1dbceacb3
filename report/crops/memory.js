// Choices that outlive the page: kept in the browser under what this very report is called.
const memory = (() => {
  'use strict';

  const { data } = report;
  const key = `framewright crops ${data.createdAt} ${data.folder}`;

  /**
   * What was kept, as it stands in the browser: nobody has looked at it. Undefined where nothing is, or nothing may be, as in
   * a page that is a file in some browsers.
   * @returns {unknown}
   */
  function read() {
    try {
      return JSON.parse(localStorage.getItem(key) ?? 'null') ?? undefined;
    } catch {
      return undefined;
    }
  }

  /**
   * @param {Readonly<Record<string, unknown>>} choices None of them: what was kept is forgotten.
   * @returns {boolean} Whether they are kept now.
   */
  function write(choices) {
    try {
      if (Object.keys(choices).length === 0) localStorage.removeItem(key);
      else localStorage.setItem(key, JSON.stringify(choices));
      return true;
    } catch {
      return false;
    }
  }

  return { read, write };
})();
