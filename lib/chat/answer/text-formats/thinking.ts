import type { SplitText } from '../../types';
import { FAMILIES } from './families';
import { type Place, Pump, type Reading, type Source } from './source';
import { MarkupTracker } from './markup-tracker';

/**
 * Opening and closing thinking markers of the families, and Mistral's brackets. Tags are parsed separately, in any
 * case.
 */
const THINKING = new Map([
	['[THINK]', '[/THINK]'],
	...FAMILIES.flatMap(({ thinking = [] }) => thinking),
]);
const THINKING_BEGINS = [...THINKING.keys()];
const THINKING_ENDS = [...new Set(THINKING.values())];
/** The first characters of all markers. */
const MARKER_BEGINS = ['<', ...THINKING_BEGINS, ...THINKING_ENDS].map((text) => text[0]!).join('');
const MARKER_BEGIN = new RegExp(`[${MARKER_BEGINS.replace(/[\\\]^-]/g, '\\$&')}]`, 'g');

/** Markers that families put before and after the answer. */
const ANSWERS = new Map([
	...['', '<|start|>assistant'].flatMap(
		(start): Array<[string, string]> => [
			[`${start}<|channel|>final<|message|>`, '<|return|>'],
			[`${start}<|channel|>commentary<|message|>`, ''],
		],
	),
	['<|START_RESPONSE|>', '<|END_RESPONSE|>'],
	['<|START_TEXT|>', '<|END_TEXT|>'],
	['[BEGIN FINAL RESPONSE]', '[END FINAL RESPONSE]'],
]);
const ANSWER_BEGINS = [...ANSWERS.keys()];
/** Only after thinking, because a normal text may begin with them. */
const BEGINS_BEHIND_THINKING = [...ANSWER_BEGINS, '<response>', '<answer>'];

/** What remains of gpt-oss's markers if a server removes its tokens: `analysisWe need…assistantfinalfour`. */
const STRIPPED_BEGIN = ['analysis'];
const STRIPPED_ENDS = ['assistantfinal', 'assistantcommentary'];

const MAX_ATTRIBUTES = 100;

/** A thinking marker. `close`: the matching closing marker; undefined for a closing marker. */
interface Marker {
	text: string;
	close?: string;
}

/**
 * Separates thinking from the text of an answer, independent of how the text was split. Servers leave it there when
 * they do not know the model's format (`--reasoning-format none`, plain FastAPI servers).
 *
 * Only a block at the very start of the answer counts as thinking.
 */
export class ThinkSplitter {
	/** Whether the answer had a closing tag without an opening one. Remembered for the model's next answer. */
	openingTagWasMissing = false;
	/** Whether there was any thinking. */
	foundThinking = false;
	/** The opening marker of an unclosed block. */
	open: string | undefined;
	private readonly pump = new Pump((source) => this.read(source));
	private out = { text: [] as string[], reasoning: [] as string[] };
	private isApart = false;
	/** All that follows is the answer. */
	private isBehind = false;

	/**
	 * @param openingTagMayBeMissing templates of thinking models often put `<think>` into the prompt, so that the answer
	 *   begins inside the block. Then everything is held back until `</think>` arrives; without one, all of it is the
	 *   answer. `always`: also after thinking in a separate field, the rest of which may be in the text.
	 * @param isStripped for gpt-oss: the server may have removed its tokens
	 */
	constructor(
		private readonly openingTagMayBeMissing: boolean | 'always' = false,
		private readonly isStripped = false,
	) {}

	/** Called when the server sends thinking in a separate field: then the text lacks no opening tag. */
	thinkingArrivesApart(): void {
		this.isApart = true;
	}

	push(piece: string): SplitText {
		if (this.isBehind || this.pump.source.isOver) return { text: piece, reasoning: '' };
		this.pump.push(piece);
		return this.taken();
	}

	/** At the end of the answer: returns what was held back. */
	end(): SplitText {
		this.pump.end();
		return this.taken();
	}

	private taken(): SplitText {
		return {
			text: this.out.text.splice(0).join(''),
			reasoning: this.out.reasoning.splice(0).join(''),
		};
	}

	private *read(source: Source): Reading<void> {
		let start = source.place;
		let answerEnd = '';
		for (;;) {
			yield* source.blank();
			const visible = source.place;
			const marker = yield* markerAt(source);
			const isRest = marker !== undefined && marker.close === undefined && this.isApart;
			if (marker?.close !== undefined) {
				this.open = marker.text;
				this.foundThinking = true;
				yield* this.upTo(source, marker.close, this.out.reasoning);
			} else if (!isRest) {
				source.back(visible);
				if (this.isStripped && (yield* this.readStripped(source))) this.foundThinking = true;
				else {
					const begins = this.foundThinking ? BEGINS_BEHIND_THINKING : ANSWER_BEGINS;
					const begin = yield* source.oneOf(begins);
					if (begin === undefined) {
						const mayBeMissing =
							this.openingTagMayBeMissing && !this.foundThinking && answerEnd === '';
						if (!mayBeMissing || !(yield* this.readUndecided(source, start))) break;
					} else answerEnd = ANSWERS.get(begin) ?? begin.replace('<', '</');
				}
			}
			start = source.place;
			source.forget();
			start = source.place;
		}
		const here = source.place;
		// White space after thinking is not part of the answer.
		if (!this.foundThinking && !this.isApart && answerEnd === '')
			this.out.text.push(source.between(start, here));
		yield* this.readAnswer(source, answerEnd);
	}

	private *readAnswer(source: Source, end: string): Reading<void> {
		if (end !== '') {
			yield* this.upTo(source, end, this.out.text, true);
			this.open = undefined;
		}
		while (source.ready()) {
			this.out.text.push(source.text.slice(source.at));
			source.at = source.text.length;
		}
		source.forget();
		this.isBehind = true;
	}

	/** Outputs the text up to a marker and consumes that. `atEnd`: the marker counts only at the end of the text. */
	private *upTo(source: Source, close: string, into: string[], atEnd = false): Reading<void> {
		const stops = new Set([close[0]!]);
		while ((yield* source.peek()) !== '') {
			source.forget();
			const { text } = source;
			let end = source.at;
			while (end < text.length && !stops.has(text[end]!)) end += 1;
			into.push(text.slice(source.at, end));
			source.at = end;
			if (end === text.length) continue;
			const here = source.place;
			const found = yield* markerAt(source, [close]);
			const isClose =
				found !== undefined && (found.text === close || `</${nameOf(found.text)}>` === close);
			if (isClose && atEnd) yield* source.blank();
			if (isClose && (!atEnd || (yield* source.peek()) === '')) {
				this.open = undefined;
				return;
			}
			source.back(here);
			into.push(source.text[source.at]!);
			source.at += 1;
		}
	}

	/**
	 * Looks for the first marker at the beginning or end of a line outside of code. A closing one ends the thinking with
	 * which the answer began.
	 */
	private *readUndecided(source: Source, start: Place): Reading<boolean> {
		const surroundings = new MarkupTracker();
		/** The place up to which `surroundings` was fed: only at a possible marker it must be up to date. */
		let known = source.place;
		while ((yield* source.peek()) !== '') {
			if (this.isApart && this.openingTagMayBeMissing !== 'always') break;
			const { text } = source;
			MARKER_BEGIN.lastIndex = source.at;
			source.at = MARKER_BEGIN.exec(text)?.index ?? text.length;
			if (source.at === text.length) continue;
			const before = source.place;
			const marker = yield* markerAt(source);
			const behind = source.place;
			if (marker !== undefined) {
				surroundings.push(source.between(known, before));
				known = before;
			}
			if (marker !== undefined && !surroundings.isInBlock) {
				if (surroundings.isAtLineStart || ['', '\n'].includes(yield* source.peek())) {
					if (marker.close !== undefined) break;
					this.out.reasoning.push(source.between(start, before));
					this.foundThinking = true;
					this.openingTagWasMissing = true;
					source.back(behind);
					return true;
				}
				source.back(behind);
			} else {
				source.back(before);
				source.at += 1;
			}
		}
		source.back(start);
		return false;
	}

	private *readStripped(source: Source): Reading<boolean> {
		const start = source.place;
		const isBegun =
			(yield* source.oneOf(STRIPPED_BEGIN)) !== undefined && /\S/.test(yield* source.peek());
		const from = source.place;
		while (isBegun && (yield* source.peek()) !== '') {
			const to = source.place;
			const end = yield* source.oneOf(STRIPPED_ENDS);
			if (end !== undefined) {
				this.out.reasoning.push(source.between(from, to));
				if (end === 'assistantcommentary') source.back(to);
				if (end === 'assistantcommentary') yield* source.oneOf(['assistant']);
				return true;
			}
			source.at += 1;
		}
		source.back(start);
		return false;
	}
}

/** Whether a text has a closing tag of a thinking block without an opening tag. */
export function hasClosingTagOnItsOwnLine(text: string): boolean {
	if (!/<\/think/i.test(text) && !THINKING_ENDS.some((end) => text.includes(end))) return false;
	const splitter = new ThinkSplitter(true);
	splitter.push(text);
	splitter.end();
	return splitter.openingTagWasMissing;
}

/** Separates a leading thinking block from a finished text, for messages from a memory. */
export function withoutThinking(text: string): SplitText {
	const splitter = new ThinkSplitter();
	const first = splitter.push(text);
	const rest = splitter.end();
	return { text: first.text + rest.text, reasoning: first.reasoning + rest.reasoning };
}

function nameOf(tag: string): string {
	return /[a-z]+/i.exec(tag)![0].toLowerCase();
}

/**
 * Consumes a marker: `<think>` or `<thinking>` in any case, also with attributes, or one of the families. Undefined if
 * none comes next.
 */
function* markerAt(
	source: Source,
	ends: readonly string[] = THINKING_ENDS,
): Reading<Marker | undefined> {
	const start = source.place;
	const begin = yield* source.oneOf(THINKING_BEGINS);
	if (begin !== undefined) return { text: begin, close: THINKING.get(begin)! };
	const end = yield* source.oneOf(ends);
	if (end !== undefined) return { text: end };
	if ((yield* source.peek()) !== '<') return undefined;
	source.at += 1;
	const slash = (yield* source.oneOf(['/'])) ?? '';
	let tag = '';
	for (let next = yield* source.peek(); /[^<>[\]]/.test(next); next = yield* source.peek()) {
		tag += next;
		source.at += 1;
		if (
			tag.length > MAX_ATTRIBUTES ||
			!/^(?:t|th|thi|thin|thinki|thinkin|think(?:ing)?(?:\s[^]*)?)$/i.test(tag)
		)
			break;
	}
	const isTag =
		/^(?:think|thinking)(?:\s[^]*)?$/i.test(tag) &&
		!tag.endsWith('/') &&
		(yield* source.oneOf(['>'])) !== undefined;
	if (!isTag) {
		source.back(start);
		return undefined;
	}
	const close = `</${nameOf(tag)}>`;
	return slash === '' ? { text: source.between(start, source.place), close } : { text: close };
}
