/** The two ways in which a command ends other than well: the caller asked wrongly, or the work failed. */

/** Exit statuses of every command; `whv run` has more, see its help. */
export const exitStatus = { success: 0, failure: 1, usage: 2 } as const;

/** The caller asked for something that cannot be: exit status 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The work could not be done, for instance because a file is missing: exit status 1. */
export class WorkError extends Error {
  override readonly name = "WorkError";
}

/** What a system error means, for people; other errors as they are. */
export function describeSystemError(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case "ENOENT":
      return "no such file";
    case "EISDIR":
      return "is a directory";
    case "EACCES":
    case "EPERM":
      return "permission denied";
    case "ENOSPC":
      return "no space left on the device";
    default:
      return message ?? String(error);
  }
}
