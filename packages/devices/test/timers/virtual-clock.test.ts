import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../src/index.ts";

describe("VirtualClock", () => {
  it("expires timers in order of deadline, each at its own time", () => {
    const clock = new VirtualClock();
    const log: string[] = [];
    const late = clock.createTimer(() => log.push(`late ${clock.now}`));
    const early = clock.createTimer(() => log.push(`early ${clock.now}`));
    late.schedule(200);
    early.schedule(100);
    expect(clock.nextDeadline).toBe(100);
    clock.advanceTo(150);
    expect([log, clock.now, clock.nextDeadline]).toEqual([["early 100"], 150, 200]);
    clock.advanceTo(300);
    expect([log, clock.nextDeadline]).toEqual([["early 100", "late 200"], Number.POSITIVE_INFINITY]);
  });

  it("lets a timer set itself again and expires it as often as it is due", () => {
    const clock = new VirtualClock();
    const at: number[] = [];
    const timer = clock.createTimer(() => {
      at.push(clock.now);
      timer.schedule(clock.now + 10);
    });
    timer.schedule(10);
    clock.advanceTo(35);
    expect(at).toEqual([10, 20, 30]);
    timer.cancel();
    clock.advanceTo(100);
    expect(at).toHaveLength(3);
  });

  it("never goes back", () => {
    const clock = new VirtualClock();
    clock.advanceTo(50);
    const at: number[] = [];
    clock.createTimer(() => at.push(clock.now)).schedule(20);
    clock.advanceTo(40);
    expect(clock.now).toBe(50);
    clock.advanceTo(50);
    expect(at).toEqual([50]);
  });
});
