import { stripVTControlCharacters, styleText } from 'node:util';
import type { WriteStream } from 'node:tty';

/** A window's size in characters. */
export type Size = { readonly columns: number; readonly rows: number };

/** A terminal in front of a person. */
export interface Terminal {
  /** Text in a colour, where the terminal has colours and nobody asked for none (NO_COLOR). */
  paint(colour: 'red' | 'yellow', text: string): string;
  /** A line without what would move the cursor or change colours. */
  clean(line: string): string;
  /**
   * Shows lines below all that is printed, asked for anew several times a second, from so many milliseconds on and until the
   * returned function is called. Only the frame that was begun last is shown.
   */
  watch(frame: (size: Size) => readonly string[], after: number): () => void;
}

/** The two outputs of the process, as lines. */
export type Screen = {
  /** Undefined where no person watches: then nothing but the lines themselves is ever written. */
  readonly terminal: Terminal | undefined;
  out(line: string): void;
  err(line: string): void;
  /** Takes the frame away, until it is drawn anew: for the end of the process, however it comes, and before it is stopped. */
  close(): void;
};

type Output = Pick<WriteStream, 'isTTY' | 'write' | 'columns' | 'rows' | 'on' | 'off'>;

/** Milliseconds between two looks at what is to be shown. */
const PACE = 200;

/** Terminals that know it show all of it at once, and nothing half drawn (synchronized output, private mode 2026). */
const AT_ONCE = ['\u001B[?2026h', '\u001B[?2026l'] as const;

/**
 * Lines above, and where a person watches a frame below them. The cursor is never hidden, so that no way to end can leave it so.
 * @param dumb the terminal cannot move its cursor (TERM=dumb)
 */
export function createScreen(stdout: Output, stderr: Output, dumb: boolean): Screen {
  const isTerminal = stdout.isTTY === true && !dumb;
  let drawing: { (frame: string): void; clear(): void; done(): void } | undefined;
  let pending = '';
  let shown = '';
  let asked: symbol | undefined;
  // What the library writes is collected, to be written in one piece with the line that goes above.
  const collector = {
    isTTY: false,
    get columns() {
      return size(stdout).columns;
    },
    get rows() {
      return size(stdout).rows;
    },
    write: (text: string) => {
      pending += text;
      return true;
    },
  };
  const flush = (): void => {
    if (pending !== '') stdout.write(`${AT_ONCE[0]}${pending}${AT_ONCE[1]}`);
    pending = '';
  };
  const show = (frame: string): void => {
    if (frame === '') drawing?.clear();
    else drawing?.(frame);
    shown = frame;
  };

  const terminal: Terminal = {
    paint: (colour, text) => styleText(colour, text, { stream: stdout as WriteStream }),
    clean: (line) => stripVTControlCharacters(line).replace(/[^\P{Cc}\t]/gu, ''),
    watch(frame, after) {
      const me = Symbol();
      asked = me;
      const draw = (): void => {
        if (asked !== me || drawing === undefined) return;
        show(frame(size(stdout)).join('\n'));
        flush();
      };
      let timer = setTimeout(() => {
        timer = setInterval(draw, PACE).unref();
        if (drawing === undefined) void import('log-update').then(({ createLogUpdate }) => (drawing ??= createLogUpdate(collector as unknown as NodeJS.WritableStream, { showCursor: true })));
      }, after).unref();
      stdout.on('resize', draw);
      return () => {
        clearTimeout(timer);
        stdout.off('resize', draw);
        if (asked !== me) return;
        asked = undefined;
        screen.close();
      };
    },
  };
  const screen: Screen = {
    terminal: isTerminal ? terminal : undefined,
    out(line) {
      if (shown === '') return void stdout.write(`${line}\n`);
      const frame = shown;
      show('');
      pending += `${line}\n`;
      show(frame);
      flush();
    },
    err(line) {
      // Perhaps the same terminal.
      const frame = shown;
      screen.close();
      stderr.write(`${line}\n`);
      show(frame);
      flush();
    },
    close() {
      if (shown !== '') show('');
      flush();
    },
  };
  return screen;
}

/** Some terminals do not know their size. */
function size({ columns, rows }: Output): Size {
  return { columns: columns || 80, rows: rows || 24 };
}
