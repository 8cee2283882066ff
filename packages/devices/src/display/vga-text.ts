/**
 * The VGA's colour text screen: 32 KiB of characters and attributes at 0xb8000, and the CRT controller's registers
 * that say which part of it shows and where the cursor stands. Read as text, not drawn.
 *
 * Not modelled: graphics modes, fonts, palettes, the sequencer, the attribute and graphics controllers; every mode is
 * 80 columns by 25 rows. CRTC registers that only shape the picture's timing keep what is written to them.
 */

import type { Bus } from "../bus/bus.ts";
import type { Attachment, BusDevice } from "../bus/bus-device.ts";
import type { VirtualClock } from "../timers/virtual-clock.ts";
import { glyph } from "./code-page-437.ts";

/** Where text memory lies on a PC. @public */
export const VGA_TEXT_ADDRESS = 0xb8000;
/** Bytes of text memory. @public */
export const VGA_TEXT_SIZE = 0x8000;

const COLUMNS = 80;
const ROWS = 25;
/** Light grey on black, as the video BIOS clears with. */
const BLANK = 0x0720;

/** CRTC registers by index (IBM VGA, "CRT controller registers"); there are 25. */
const Crtc = {
  cursorStart: 0x0a,
  startHigh: 0x0c,
  startLow: 0x0d,
  cursorHigh: 0x0e,
  cursorLow: 0x0f,
  count: 0x19,
} as const;
const CURSOR_OFF = 0x20;

/** Input status register 1 (port 0x3da): the beam is in retrace. */
const Status = { displayDisabled: 0x01, verticalRetrace: 0x08 } as const;
/** 70 frames a second of which the last 449 - 400 lines are vertical retrace (IBM VGA, 720 x 400). */
const FRAME_NANOSECONDS = 14_268_000;
const VISIBLE = 400 / 449;

/** One place of the screen. @public */
export interface TextCell {
  /** Code page 437. */
  readonly code: number;
  /** Bits 3 to 0 foreground, 6 to 4 background, 7 blink. */
  readonly attribute: number;
}

/**
 * The text screen.
 *
 * @example
 * ```ts
 * import { Bus, VGA_TEXT_ADDRESS, VgaTextScreen, VirtualClock } from "@whvkit/devices";
 * const bus = new Bus();
 * const screen = new VgaTextScreen(new VirtualClock());
 * screen.attach(bus);
 * bus.writeMemory(VGA_TEXT_ADDRESS, 2, 0x0741, 0); // a grey A in the upper left corner
 * screen.text().trimEnd(); // "A"
 * screen.cell(0, 0); // { code: 0x41, attribute: 7 }
 * ```
 *
 * @public
 */
export class VgaTextScreen {
  /** Text memory: attach {@link VGA_TEXT_SIZE} bytes at {@link VGA_TEXT_ADDRESS}. */
  readonly memory: BusDevice;
  /** CRTC index and data, ports 0x3d4 and 0x3d5. */
  readonly crtc: BusDevice;
  /** Input status register 1, port 0x3da. */
  readonly status: BusDevice;

  readonly #bytes = new Uint8Array(VGA_TEXT_SIZE);
  readonly #crtc = new Uint8Array(Crtc.count);
  #index = 0;

  constructor(clock: VirtualClock) {
    const bytes = this.#bytes;
    new Uint16Array(bytes.buffer).fill(BLANK);
    this.memory = {
      width: 4,
      read: (offset, size) => {
        let value = 0;
        for (let i = size - 1; i >= 0; i--) value = (value << 8) | (bytes[offset + i] as number);
        return value >>> 0;
      },
      write: (offset, size, value) => {
        for (let i = 0; i < size; i++) bytes[offset + i] = value >>> (8 * i);
      },
    };
    this.crtc = {
      width: 1,
      read: (offset) => (offset === 0 ? this.#index : (this.#crtc[this.#index] ?? 0)),
      write: (offset, _size, value) => {
        if (offset === 0) this.#index = value;
        else if (this.#index < Crtc.count) this.#crtc[this.#index] = value;
      },
    };
    this.status = {
      width: 1,
      read: () => {
        const frame = (clock.now % FRAME_NANOSECONDS) / FRAME_NANOSECONDS;
        return frame < VISIBLE ? 0 : Status.displayDisabled | Status.verticalRetrace;
      },
      write: () => undefined, // the feature control register: two pins that no monitor used
    };
  }

  /** Attaches text memory and the three ports where a PC has them. */
  attach(bus: Bus): Attachment[] {
    return [
      bus.attachMemory(VGA_TEXT_ADDRESS, VGA_TEXT_SIZE, this.memory),
      bus.attachPorts(0x3d4, 2, this.crtc),
      bus.attachPorts(0x3da, 1, this.status),
    ];
  }

  /** What stands at a row (0 to 24) and column (0 to 79) of the part that shows. */
  cell(row: number, column: number): TextCell {
    // Text memory wraps at its end; the start address counts characters.
    const start = ((this.#crtc[Crtc.startHigh] as number) << 8) | (this.#crtc[Crtc.startLow] as number);
    const offset = (2 * (start + row * COLUMNS + column)) % VGA_TEXT_SIZE;
    return { code: this.#bytes[offset] as number, attribute: this.#bytes[offset + 1] as number };
  }

  /** Where the cursor stands on the part that shows, or `null` where it is switched off or outside. */
  get cursor(): { readonly row: number; readonly column: number } | null {
    const start = ((this.#crtc[Crtc.startHigh] as number) << 8) | (this.#crtc[Crtc.startLow] as number);
    const at = ((this.#crtc[Crtc.cursorHigh] as number) << 8) | (this.#crtc[Crtc.cursorLow] as number);
    const place = at - start;
    if (((this.#crtc[Crtc.cursorStart] as number) & CURSOR_OFF) !== 0 || place < 0 || place >= ROWS * COLUMNS)
      return null;
    return { row: Math.floor(place / COLUMNS), column: place % COLUMNS };
  }

  /** The screen as 25 lines joined by line feeds, trailing blanks removed from each. */
  text(): string {
    const lines: string[] = [];
    for (let row = 0; row < ROWS; row++) {
      let line = "";
      for (let column = 0; column < COLUMNS; column++) line += glyph(this.cell(row, column).code);
      lines.push(line.trimEnd());
    }
    return lines.join("\n");
  }
}
