// What the server tells the page that explains how crops are found.

/** A photo that comes with the package. */
export interface ExamplePhoto {
  readonly id: string;
  readonly name: string;
}
