import type { ToolCallMarkup } from '../../servers/kinds/kind';
import { CodeBlocks } from './code-blocks';
import { MARKUP_OPENINGS, markupAt, type OfferedTools, type WrittenCall } from './tool-call-markup';
import type { ToolDefinition } from '../types';

const MAX_OPENING = Math.max(...MARKUP_OPENINGS.map((opening) => opening.length));
const OPENING = new RegExp(MARKUP_OPENINGS.map((opening) => opening.replace(/[[\]|]/g, '\\$&')).join('|'), 'g');
/** Up to this length an open markup is looked at with every piece, then each time that it has doubled. */
const FIRST_LOOK = 256;
/** An answer with more openings that turned out to be text only talks about them. */
const MAX_FALSE_OPENINGS = 50;

/**
 * Takes calls out of the text of an answer, for servers that lack the parser or the template and hand on what the model
 * wrote. A call is read where it is complete, names a tool that was offered, and has an object for arguments;
 * everything else stays text. Blocks of code and what stands between backticks stay as they are.
 *
 * Text that may be the beginning of a call is held back until that is decided. However the text is cut into pieces, the
 * result is the same.
 */
export class TextToolCalls {
	/** The calls so far. */
	readonly calls: WrittenCall[] = [];
	private readonly tools: OfferedTools;
	private readonly code = new CodeBlocks();
	/**
	 * Text that has arrived and is not decided; `open` where it begins with an opening. In pieces, so that a long call
	 * costs no joining.
	 */
	private held: string[] = [];
	private heldLength = 0;
	private open = false;
	private nextLook = 0;
	private falseOpenings = 0;
	/** White space behind a call: dropped, unless text follows. */
	private gap: string | undefined;
	private gaveText = false;
	private form: ToolCallMarkup | undefined;

	/** @param tools those that the model may call */
	constructor(tools: readonly ToolDefinition[]) {
		this.tools = new Map(tools.map((tool) => [tool.name, tool]));
	}

	/** The markup of the first call; undefined where there was none. */
	get markup(): ToolCallMarkup | undefined {
		return this.form;
	}

	/** @returns the text to give out now */
	push(piece: string): string {
		if (this.tools.size === 0) return piece;
		this.hold(piece);
		if (this.open && this.heldLength < this.nextLook) return '';
		return this.read(false, false);
	}

	/**
	 * The end of the answer.
	 *
	 * @param isCut the answer was cut off: then only calls with their closing tag count
	 * @returns what was held back and is text
	 */
	end(isCut: boolean): string {
		return this.read(true, !isCut);
	}

	private read(isOver: boolean, isEnd: boolean): string {
		let text = this.held.join('');
		let out = '';
		for (;;) {
			const start = this.openingIn(text);
			if (start === undefined) break;
			out += this.give(text.slice(0, start));
			text = text.slice(start);
			const form = markupAt(text)!;
			const reading = form.read(text, this.tools, isEnd);
			if (reading === 'open' && !isOver) {
				this.holdOnly(text, true);
				return out;
			}
			if (typeof reading === 'string') {
				this.falseOpenings += 1;
				out += this.give(form.opening);
				text = text.slice(form.opening.length);
				continue;
			}
			this.calls.push(...reading.calls);
			this.form ??= form.markup;
			this.gap = '';
			text = text.slice(reading.length);
		}
		const kept = isOver ? 0 : openingBegun(text);
		out += this.give(text.slice(0, text.length - kept));
		this.holdOnly(text.slice(text.length - kept), false);
		return out;
	}

	/** Where the first opening outside of code is. */
	private openingIn(text: string): number | undefined {
		if (this.falseOpenings >= MAX_FALSE_OPENINGS || text.search(OPENING) < 0) return undefined;
		const code = this.code.copy();
		let at = 0;
		for (const { index, 0: opening } of text.matchAll(OPENING)) {
			code.push(text.slice(at, index));
			if (!code.isInCode) return index;
			code.push(opening);
			at = index + opening.length;
		}
		return undefined;
	}

	private give(text: string): string {
		if (text === '') return '';
		this.code.push(text);
		const isBlank = text.trim() === '';
		if (this.gap !== undefined && isBlank) {
			this.gap += text;
			return '';
		}
		const all = (this.gap ?? '') + text;
		const given = this.gap !== undefined && !this.gaveText ? all.trimStart() : all;
		this.gap = undefined;
		this.gaveText ||= !isBlank;
		return given;
	}

	private hold(piece: string): void {
		this.held.push(piece);
		this.heldLength += piece.length;
	}

	private holdOnly(text: string, open: boolean): void {
		this.held = text === '' ? [] : [text];
		this.heldLength = text.length;
		this.open = open;
		this.nextLook = text.length < FIRST_LOOK ? 0 : text.length * 2;
	}
}

/** How much of the end of a text may be the beginning of an opening. */
function openingBegun(text: string): number {
	for (let length = Math.min(text.length, MAX_OPENING - 1); length > 0; length--) {
		const end = text.slice(-length);
		if (MARKUP_OPENINGS.some((opening) => opening.startsWith(end))) return length;
	}
	return 0;
}
