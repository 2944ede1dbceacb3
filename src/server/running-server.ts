/** A server that listens. */
export interface RunningServer {
  /** `http://127.0.0.1:3210`: of requests with the token; of what listens on every network, as this machine sees it. */
  readonly url: string;
  /** The same with the token, for a browser. */
  readonly link: string;
  /** Undefined where everybody may ask. */
  readonly token: string | undefined;
  /**
   * Takes no more and lets what it works on be finished, for as long as one request may take; what is not done by then is
   * answered 503. `now` stops everything at once.
   */
  close(options?: { readonly now?: boolean }): Promise<void>;
}
