/**
 * The time and calendar registers of an MC146818: seconds since 1970 to register values and back, in the formats that
 * register B chooses (BCD or binary, 12 or 24 hours). Which register means what is stated once, here.
 */

/** Register B bits that choose the format. */
const BINARY = 0x04;
const HOURS_24 = 0x02;
/** Bit 7 of the hours in 12-hour format. */
const PM = 0x80;

const Time = { seconds: 0, minutes: 2, hours: 4, dayOfWeek: 6, day: 7, month: 8, year: 9, century: 0x32 } as const;

/** The value of time register `index` at `seconds` since 1970-01-01T00:00:00Z. */
export function timeToRegister(seconds: number, index: number, b: number): number {
  const date = new Date(seconds * 1000);
  switch (index) {
    case Time.seconds:
      return encode(date.getUTCSeconds(), b);
    case Time.minutes:
      return encode(date.getUTCMinutes(), b);
    case Time.hours: {
      const hours = date.getUTCHours();
      if ((b & HOURS_24) !== 0) return encode(hours, b);
      return encode(hours % 12 || 12, b) | (hours >= 12 ? PM : 0);
    }
    case Time.dayOfWeek:
      return encode(date.getUTCDay() + 1, b); // Sunday is 1
    case Time.day:
      return encode(date.getUTCDate(), b);
    case Time.month:
      return encode(date.getUTCMonth() + 1, b);
    case Time.year:
      return encode(date.getUTCFullYear() % 100, b);
    default:
      return encode(Math.floor(date.getUTCFullYear() / 100), b);
  }
}

/** Seconds since 1970 that the time registers in `memory` stand for. Values out of range carry over, as in a date. */
export function registersToTime(memory: Uint8Array, b: number): number {
  const value = (index: number): number => decode(memory[index] as number, b);
  const rawHours = memory[Time.hours] as number;
  let hours = decode(rawHours & ((b & HOURS_24) !== 0 ? 0xff : ~PM & 0xff), b);
  if ((b & HOURS_24) === 0) hours = (hours % 12) + ((rawHours & PM) !== 0 ? 12 : 0);
  const year = value(Time.century) * 100 + value(Time.year);
  const date = new Date(0);
  date.setUTCFullYear(year, value(Time.month) - 1, value(Time.day));
  date.setUTCHours(hours, value(Time.minutes), value(Time.seconds));
  return date.getTime() / 1000;
}

function encode(value: number, b: number): number {
  return (b & BINARY) !== 0 ? value & 0xff : ((Math.floor(value / 10) % 10) << 4) | (value % 10);
}

function decode(register: number, b: number): number {
  return (b & BINARY) !== 0 ? register : (register >> 4) * 10 + (register & 15);
}
