import "vitest";

declare global {
  interface ImportMeta {
    /** Vite's; MODE is what `vitest --mode` says. */
    readonly env: { readonly MODE: string };
  }
}

declare module "vitest" {
  export interface ProvidedContext {
    /** The folder in which the packed packages are installed; see packed-packages.js. */
    consumer: string;
  }
}
