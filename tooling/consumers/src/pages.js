// The pages that people read before they use a package: the project's own, and every package's README and guides.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { workspaceRoot } from "@tooling/build-command";

/** @returns {{ page: string, text: string }[]} `page` from the root of the workspace, with slashes */
export function pages() {
  const folders = ["packages", "apps"].flatMap((group) =>
    readdirSync(path.join(workspaceRoot, group)).map((name) => `${group}/${name}/`),
  );
  return ["", ...folders].flatMap((folder) =>
    [folder, `${folder}docs/`].flatMap((where) =>
      markdownIn(where).map((name) => {
        const page = `${where}${name}`;
        return { page, text: readFileSync(path.join(workspaceRoot, page), "utf8") };
      }),
    ),
  );
}

/** @param {string} folder */
function markdownIn(folder) {
  const where = path.join(workspaceRoot, folder);
  if (!existsSync(where)) return [];
  return readdirSync(where)
    .filter((name) => name.endsWith(".md") && name !== "CHANGELOG.md")
    .sort();
}
