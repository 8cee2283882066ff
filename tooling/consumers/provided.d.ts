import "vitest";

declare module "vitest" {
  export interface ProvidedContext {
    /** The folder in which the packed packages are installed; see packed-packages.js. */
    consumer: string;
  }
}
